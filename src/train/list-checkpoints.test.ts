import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytesOf, checkpointBytes, info } from '../../test/fixtures/checkpoint.js';
import { checkpointMetadata } from './checkpoint.js';
import { listCheckpoints } from './list-checkpoints.js';
import { RunFolder } from './run-folder.js';

let root: string;
let run: { runDir: string; project: string };
let folder: RunFolder;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-list-'));
  run = { runDir: root, project: 'birds' };
  folder = new RunFolder(run);
  mkdirSync(folder.checkpoints, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

function save(epoch: number, step = 0, bytes = checkpointBytes(epoch, step)): string {
  const path = folder.checkpointPath({ epoch, step });
  writeFileSync(path, bytes);
  return path;
}

it('tells of each checkpoint what it is, oldest first', async () => {
  const [first, second, within] = [save(1), save(2), save(2, 9)];
  await folder.mark('best', first);
  await folder.mark('last', within);
  const { run: path, checkpoints } = await listCheckpoints(run);
  expect(path).toBe(folder.path);
  const content = readFileSync(first);
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(checkpoints).toMatchObject([
    { path: first, epoch: 1, step: 0, accuracy: 10, best: true, last: false, bytes: content.length, sha256 },
    { path: second, epoch: 2, step: 0, accuracy: 20, best: false, last: false },
    { path: within, epoch: 2, step: 9, accuracy: null, best: false, last: true },
  ]);
  for (const { state, problem } of checkpoints) expect([state, problem]).toEqual(['whole', null]);
});

it('says what is damaged, what is of another version, and what a mark names in vain', async () => {
  const [cut, later] = [save(1), save(2, 0, bytesOf({ ...checkpointMetadata(info(2)), version: '9' }))];
  truncateSync(cut, 700);
  const gone = folder.checkpointPath({ epoch: 3, step: 0 });
  await folder.mark('last', gone);
  await folder.mark('best', gone);
  const { checkpoints } = await listCheckpoints(run);
  expect(checkpoints).toMatchObject([
    { path: cut, state: 'damaged', bytes: 700, accuracy: null, problem: /cut off/ },
    { path: later, state: 'unknown', problem: /version 9/ },
    { path: gone, state: 'damaged', epoch: 3, last: true, best: true, sha256: null, problem: /gone/ },
  ]);
});

it('refuses a run without any', async () => {
  await expect(listCheckpoints(run)).rejects.toThrow(/birds has no checkpoint/);
});
