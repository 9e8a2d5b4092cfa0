import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, info } from '../../test/fixtures/checkpoint.js';
import { checkpointMetadata, DamagedCheckpoint, readCheckpoint } from './checkpoint.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-checkpoint-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a checkpoint', () => {
  it('says again what was put into it, to the last bit', async () => {
    const path = join(root, 'a.safetensors');
    writeFileSync(path, bytesOf(checkpointMetadata(info(2, 3))));
    const checkpoint = await readCheckpoint(path);
    expect(checkpoint.info).toEqual(info(2, 3));
    expect(checkpoint.tensors.get('w')?.shape).toEqual([64]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a later version',
      { ...checkpointMetadata(info(1)), version: '7', resnode: '9.0' },
      /version 7; .* reads 1/,
    ],
    ['foreign tensors', { title: 'mine' }, /no checkpoint of resnode/],
    ['metadata that lack something', { ...checkpointMetadata(info(1)), classes: '[]' }, /damaged: classes/],
    ['metadata that are no JSON', { ...checkpointMetadata(info(1)), crop: '{' }, /damaged: crop/],
  ])('refuses %s', async (_, metadata, message) => {
    const path = join(root, 'a.safetensors');
    writeFileSync(path, bytesOf(metadata));
    await expect(readCheckpoint(path)).rejects.toThrow(message);
  });

  it('that is cut off is damaged, one that is not there is not', async () => {
    const path = join(root, 'a.safetensors');
    writeFileSync(path, bytesOf(checkpointMetadata(info(1))));
    truncateSync(path, 700);
    await expect(readCheckpoint(path)).rejects.toThrow(DamagedCheckpoint);
    const missing = readCheckpoint(join(root, 'b.safetensors'));
    await expect(missing).rejects.toThrow(/there is no file/);
    await expect(missing).rejects.not.toThrow(DamagedCheckpoint);
  });
});
