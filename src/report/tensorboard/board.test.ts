import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEvent } from './messages.js';
import { readRecords } from './record.js';
import { epochResult, ToldRun } from './testing/told-run.js';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-board-'));
  folder = join(root, 'tensorboard');
});
afterEach(() => rmSync(root, { recursive: true }));

interface Point {
  readonly step: number;
  readonly value: number | undefined;
  readonly wallTime: number;
}

/** The points of a tag in one of the folders. */
function points(name: string, tag: string): Point[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.includes('tfevents'))
    .flatMap((file) => [...readRecords(readFileSync(join(path, file)))])
    .map(({ data }) => decodeEvent(data))
    .flatMap(({ step, wallTime, summary }) =>
      (summary?.value ?? [])
        .filter((value) => value.tag === tag && value.simpleValue !== undefined)
        .map(({ simpleValue }) => ({ step, wallTime, value: simpleValue })),
    );
}

const losses = (name = 'Loss_train'): Array<[number, number | undefined]> =>
  points(name, 'Loss').map(({ step, value }) => [step, value]);

describe('TensorBoard', () => {
  it('writes nothing before a checkpoint is saved, and nothing beyond it', async () => {
    const run = new ToldRun(folder).epoch(epochResult(1)).epoch(epochResult(2));
    await run.written();
    expect(existsSync(folder)).toBe(false);
    run.epoch(epochResult(3)).save(2);
    await run.written();
    expect(losses()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    run.save(3);
    await run.written();
    expect(losses().map(([step]) => step)).toEqual([1, 2, 3]);
  });

  it("shows the gradient's norm of the epochs that were clipped", async () => {
    await new ToldRun(folder).epochs([epochResult(1), { ...epochResult(2), gradientNorm: 1.5 }]);
    expect(points('', 'Gradient Norm').map(({ step, value }) => [step, value])).toEqual([[2, 1.5]]);
  });

  it('lays the curves out as add_scalars does', async () => {
    await new ToldRun(folder).epochs([epochResult(1)]);
    expect(readdirSync(folder).filter((name) => !name.startsWith('events'))).toEqual([
      'Accuracy_train',
      'Accuracy_val',
      'Loss_train',
      'Loss_val',
    ]);
    const value = (name: string, tag: string): unknown => points(name, tag)[0]?.value;
    expect(value('Loss_val', 'Loss')).toBe(0.5);
    expect(value('Accuracy_train', 'Accuracy')).toBe(10);
    expect(value('Accuracy_val', 'Accuracy')).toBe(9);
    expect(value('', 'Top-5')).toBe(91);
    expect(value('', 'Learning Rate')).toBe(0.5);
    expect(value('', 'Pictures per Second')).toBe(50);
  });

  it('has no curves of a validation that was none', async () => {
    const none = { valLoss: null, valAccuracy: null, valTop5: null };
    await new ToldRun(folder).epochs([{ ...epochResult(1), ...none }]);
    expect(readdirSync(folder).filter((name) => !name.startsWith('events'))).toEqual([
      'Accuracy_train',
      'Loss_train',
    ]);
    expect(points('', 'Top-5')).toEqual([]);
    expect(points('', 'Learning Rate')).toHaveLength(1);
  });

  it('goes on from a checkpoint without drawing a point twice', async () => {
    const before = [1, 2, 3, 4, 5].map((epoch) => epochResult(epoch));
    await new ToldRun(folder).epochs(before);
    const history = before.slice(0, 3);
    const run = new ToldRun(folder, { resumed: { epoch: 3, history } });
    await run.written();
    expect(losses('Loss_val').map(([step]) => step)).toEqual([1, 2, 3]);
    await run.epochs([epochResult(4, 40), epochResult(5, 50)]);
    expect(losses()).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 40],
      [5, 50],
    ]);
  });

  it('catches up with what a killed process had saved, but not written', async () => {
    const history = [1, 2, 3].map((epoch) => epochResult(epoch));
    await new ToldRun(folder).epochs(history.slice(0, 1));
    const run = new ToldRun(folder, { resumed: { epoch: 3, history } });
    await run.written();
    expect(losses().map(([step]) => step)).toEqual([1, 2, 3]);
    const [, second, third] = points('Loss_train', 'Loss');
    expect((third?.wallTime ?? 0) - (second?.wallTime ?? 0)).toBeCloseTo(2, 3);
  });

  it('starts afresh where the checkpoints of an earlier training are gone', async () => {
    await new ToldRun(folder).epochs([1, 2, 3].map((epoch) => epochResult(epoch)));
    await new ToldRun(folder).epochs([epochResult(1, 100)]);
    expect(losses()).toEqual([[1, 100]]);
  });

  it('warns once where it cannot write, and catches up when it can', async () => {
    writeFileSync(folder, 'in the way');
    const run = new ToldRun(folder);
    await run.epochs([epochResult(1), epochResult(2)]);
    expect(run.warnings).toEqual([expect.stringMatching(/^cannot write for TensorBoard: E/)]);
    rmSync(folder);
    await run.epochs([epochResult(3)]);
    expect(losses().map(([step]) => step)).toEqual([1, 2, 3]);
  });

  it('does not keep what is past where it could not write at first', async () => {
    const before = [1, 2, 3, 4, 5].map((epoch) => epochResult(epoch));
    await new ToldRun(folder).epochs(before);
    // what cannot be removed as the file that it seems to be
    const blocked = join(folder, 'Loss_train', '.next.0.tmp');
    mkdirSync(blocked);
    const run = new ToldRun(folder, { resumed: { epoch: 2, history: before.slice(0, 2) } });
    await run.epochs([epochResult(3, 30), epochResult(4, 40)]);
    expect(losses().map(([, value]) => value)).toEqual([1, 2, 3, 4, 5]);
    // the others are not held up
    expect(losses('Loss_val').map(([, value]) => value)).toEqual([0.5, 1, 15, 20]);
    rmdirSync(blocked);
    await run.epochs([epochResult(5, 50)]);
    expect(losses().map(([, value]) => value)).toEqual([1, 2, 30, 40, 50]);
  });

  it('comes back when somebody removes its files', async () => {
    const run = new ToldRun(folder);
    await run.epochs([epochResult(1)]);
    rmSync(folder, { recursive: true });
    await run.epochs([epochResult(2)]);
    expect(losses().map(([step]) => step)).toEqual([1, 2]);
    expect(points('', 'Top-5')).toHaveLength(2);
    expect(run.warnings).toEqual([]);
  });
});
