import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { SafetensorsWriter } from '../interop/safetensors.js';
import { type CheckpointInfo, checkpointMetadata, DamagedCheckpoint, readCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { RunFolder } from './run-folder.js';

const config: TrainConfig = {
  data: '/data',
  model: { family: 'resnet', stages: [[32, 1]], block: 'pre-activation' },
  initialization: 'xavier',
  crop: 32,
  batchSize: 8,
  valBatchSize: 8,
  epochs: 5,
  learningRate: 0.01,
  optimizer: { kind: 'sgd', momentum: 0.9 },
  schedule: { name: 'constant' },
  labelSmoothing: 0,
  flip: true,
  seed: 3,
  checkpointInterval: 1,
  keepLast: 3,
};

const info = (epoch: number, step = 0): CheckpointInfo => ({
  model: { name: 'resnet-32x1', description: { family: 'resnet', stages: [[32, 1]] } },
  classes: ['ça va', 'a "b"\n'],
  normalization: { mean: [1, 2, 3], std: [4, 5, 6.25] },
  crop: { height: 32, width: 32 },
  preparation: { size: 40, centerCrop: false, quality: 96 },
  dataset: 'f00d',
  epoch,
  step,
  stepsPerEpoch: 7,
  globalStep: epoch * 7 + step,
  seed: 3,
  config,
  schedule: { name: 'constant', state: { epoch } },
  best: { epoch: 1, accuracy: 33.3 },
  history: [],
  running: step > 0 ? { images: 8, loss: 0.1 + 0.2, top1: 1, top5: 8, seconds: 1.5 } : null,
  engine: 'onednn',
  resnode: '0.1.0',
});

function bytesOf(metadata: Record<string, string>): Uint8Array {
  const file = new SafetensorsWriter([{ name: 'w', dtype: 'F32', shape: [64] }], metadata);
  file.floats('w').fill(1.5);
  return file.finish();
}

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

describe('a run folder', () => {
  let folder: RunFolder;
  const save = async (epoch: number, step = 0): Promise<string> => {
    const path = folder.checkpointPath({ epoch, step });
    writeFileSync(path, bytesOf(checkpointMetadata(info(epoch, step))));
    await folder.mark('last', path);
    return path;
  };
  beforeEach(async () => {
    folder = new RunFolder({ runDir: join(root, 'runs'), project: 'birds' });
    await folder.lock();
  });
  afterEach(() => folder.release());

  it('has no checkpoint at first', async () => {
    expect(await folder.lastCheckpoint()).toBeUndefined();
    expect(await folder.marked('best')).toBeUndefined();
  });

  it('goes on from the marked one, not from a newer one that was never closed', async () => {
    const first = await save(1);
    await save(2);
    await folder.mark('last', first);
    expect((await folder.lastCheckpoint())?.path).toBe(first);
  });

  it('falls back on the one before, batches of an epoch being later than its start', async () => {
    const paths = [await save(1), await save(1, 4), await save(2)];
    const warnings: string[] = [];
    const last = () => folder.lastCheckpoint({ onWarning: (message) => warnings.push(message) });
    expect((await last())?.path).toBe(paths[2]);
    truncateSync(paths[2] as string, 600);
    expect((await last())?.info.step).toBe(4);
    truncateSync(paths[1] as string, 0);
    expect((await last())?.path).toBe(paths[0]);
    expect(warnings.at(-1)).toContain('step-000004');
    truncateSync(paths[0] as string, 10);
    await expect(last()).rejects.toThrow(/no checkpoint of .*birds can be read/);
  });

  it('does not pass over a checkpoint of a later version', async () => {
    await save(1);
    const path = await save(2);
    writeFileSync(path, bytesOf({ ...checkpointMetadata(info(2)), version: '2' }));
    await expect(folder.lastCheckpoint()).rejects.toThrow(/version 2/);
  });

  it('keeps the newest and the best', async () => {
    const paths: string[] = [];
    for (let epoch = 1; epoch <= 6; epoch++) paths.push(await save(epoch));
    await folder.mark('best', paths[1] as string);
    await folder.prune(2);
    const kept = [];
    for (const path of paths) if (await readCheckpoint(path).catch(() => undefined)) kept.push(path);
    expect(kept).toEqual([paths[1], paths[4], paths[5]]);
  });

  it('goes away again when nothing was begun in it', async () => {
    const other = new RunFolder({ runDir: join(root, 'runs'), project: 'other' });
    await other.lock();
    await other.release();
    await expect(other.lastCheckpoint()).resolves.toBeUndefined();
    expect(other.begun).toBe(false);
  });

  it('never takes a folder with something else in it', async () => {
    writeFileSync(join(root, 'thesis.txt'), 'years of work');
    const other = new RunFolder({ runDir: join(root, '..'), project: root.slice(root.lastIndexOf('/') + 1) });
    await folder.release();
    rmSync(join(root, 'runs'), { recursive: true, force: true });
    await expect(other.lock()).rejects.toThrow(/holds something else: thesis.txt/);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', 'a\0'])('cannot be named %j', (project) => {
    expect(() => new RunFolder({ project })).toThrow(UserError);
  });
});
