import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch, writePictures } from '../../test/e2e/tool.js';
import { type Dataset, readDataset } from '../data/dataset.js';
import { preprocess } from '../data/preprocess/preprocess.js';
import { predict } from '../predict/predict.js';
import { evaluate } from './evaluate.js';
import { PredictionPacker } from './packed-predictions.js';
import { type PicturePrediction, predictValidation } from './predictions.js';
import { train } from './train.js';

describe('PredictionPacker', () => {
  it('keeps the likeliest classes, the first of equal ones first, and the loss of the true one', () => {
    const packer = new PredictionPacker({ classes: 4, top: 3 });
    packer.add({ logits: Float32Array.of(1, 3, 1, 3, 0, 0, 0, 1000), labels: Int32Array.of(0, 2) });
    packer.add({ logits: Float32Array.of(5, 5, 5, 5), labels: Int32Array.of(-1) });
    const { top, labels, ids, probabilities, losses } = packer.finish();
    expect([top, [...labels], [...ids]]).toEqual([3, [0, 2, -1], [1, 3, 0, 3, 0, 1, 0, 1, 2]]);
    const sum = 2 * Math.exp(-2) + 2;
    expect([...losses]).toEqual([expect.closeTo(Math.log(sum) + 2, 12), 1000, 0]);
    expect([...probabilities.slice(0, 3)]).toEqual(
      [1 / sum, 1 / sum, Math.exp(-2) / sum].map((value) => expect.closeTo(value, 6)),
    );
    expect([...probabilities.slice(3)]).toEqual([1, 0, 0, 0.25, 0.25, 0.25]);
  });

  it('keeps all classes where there are fewer', () => {
    const packer = new PredictionPacker({ classes: 2, top: 5 });
    packer.add({ logits: Float32Array.of(0, 1), labels: Int32Array.of(0) });
    expect(packer.finish()).toMatchObject({ top: 2, ids: Int32Array.of(1, 0) });
  });
});

describe('predictValidation', () => {
  const files = scratch();
  const choice = { project: 'run', runDir: files.path('runs'), threads: 1 };
  let dataset: Dataset;
  beforeAll(async () => {
    await writePictures(files.path('pictures'), ['aa', 'bb', 'cc'], 40);
    await preprocess({ pictures: files.path('pictures'), out: files.path('data'), size: 36, valSplit: 0.5 });
    const model = { name: 'resnet', stages: [[16, 1]] as [number, number][] };
    await train({ ...choice, data: files.path('data'), model, crop: 32, batchSize: 16, epochs: 2 });
    dataset = await readDataset(files.path('data'));
  });
  afterAll(files.remove);

  async function all(options: { batchSize?: number; top?: number }) {
    const pictures: PicturePrediction[] = [];
    const calls: number[] = [];
    const done: number[] = [];
    let started: unknown;
    const result = await predictValidation({
      ...choice,
      ...options,
      onStart: (start) => {
        started = start;
      },
      onProgress: (progress) => void done.push(progress.done),
      onPictures: async (some) => {
        calls.push(some.length);
        await new Promise((resolve) => setTimeout(resolve, 2));
        pictures.push(...some);
      },
    });
    return { pictures, calls, result, started, done };
  }

  it("says of each picture what predict says, in the dataset's order, some at a time", async () => {
    const { pictures, calls, result, started, done } = await all({ batchSize: 3 });
    expect(pictures.map(({ file, label }) => ({ file, label }))).toEqual(dataset.val);
    expect(calls).toEqual([48, 12]);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(started).toMatchObject({ info: { classes: dataset.classes, epoch: 2 }, dataset });
    const { predictions } = await predict({
      ...choice,
      pictures: dataset.val.map(({ file }) => join(dataset.folder, file)),
    });
    predictions.forEach(({ classes }, at) => {
      const { top, label, probability } = pictures[at] as PicturePrediction;
      expect(top.map(({ id }) => dataset.classes[id])).toEqual(classes.map((each) => each.label));
      // predict encodes the picture once more
      top.forEach(
        (each, rank) => void expect(each.probability).toBeCloseTo(classes[rank]?.probability ?? -1, 1),
      );
      const own = top.find(({ id }) => id === label)?.probability;
      expect(probability).toBeCloseTo(own ?? -1, 5);
    });
    const { seconds, ...measured } = await evaluate({ ...choice, batchSize: 3 });
    expect(result).toMatchObject(measured);
    const right = pictures.filter(({ top, label }) => top[0]?.id === label).length;
    expect((100 * right) / 60).toBe(measured.top1);
    expect(pictures.reduce((sum, { loss }) => sum + loss, 0) / 60).toBeCloseTo(measured.loss, 10);
  });

  it('leaves out what cannot be read, and keeps files and labels together after it', async () => {
    const bad = dataset.val[1]?.file ?? '';
    truncateSync(join(dataset.folder, bad), 300);
    const { pictures, result } = await all({ batchSize: 50, top: 1 });
    expect(pictures.map(({ file, label }) => ({ file, label }))).toEqual(
      dataset.val.filter((_, at) => at !== 1),
    );
    expect(result.rejected).toMatchObject([{ file: bad }]);
    expect(new Set(pictures.map(({ top }) => top.length))).toEqual(new Set([1]));
  });

  it('stops when it is told to, and passes on what the listener throws', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(predictValidation({ ...choice, signal, onPictures: () => {} })).rejects.toThrow('enough');
    const onPictures = (): never => {
      throw new Error('no room');
    };
    await expect(predictValidation({ ...choice, onPictures })).rejects.toThrow('no room');
  });
});
