import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../data/dataset.js';
import { PicturePreparer } from '../data/preprocess/prepare-picture.js';
import { preprocess } from '../data/preprocess/preprocess.js';
import { Normalize, RandomCrop, Resize, ShiftScaleRotate, VerticalFlip } from '../data/transforms/index.js';
import { UserError } from '../errors.js';
import { predict } from '../predict/predict.js';
import { readCheckpoint } from './checkpoint.js';
import { evaluate } from './evaluate.js';
import type { TrainEvent } from './events.js';
import { type TrainOptions, type TrainResult, train } from './train.js';

let root: string;
let result: TrainResult;
const events: TrainEvent[] = [];
const at = (...parts: string[]): string => join(root, ...parts);

const settings = (project: string): TrainOptions => ({
  ...{ project, data: at('data'), runDir: at('runs'), model: { name: 'resnet', stages: [[32, 1]] } },
  ...{ crop: 32, batchSize: 16, valBatchSize: 10, epochs: 3, learningRate: 0.05, seed: 2, threads: 1 },
  // as evaluate computes
  precision: 'fp32',
});

/** Stripes of one of six directions and colours, in noise. */
async function writePictures(folder: string, classes: readonly string[], each: number): Promise<void> {
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let number = 0; number < each; number++) {
      const pixels = Buffer.alloc(44 * 44 * 3);
      for (let index = 0; index < pixels.length; index++) {
        const [pixel, channel] = [Math.floor(index / 3), index % 3];
        const place = label % 2 ? pixel % 44 : Math.floor(pixel / 44);
        const stripe = (place + number) % 8 < 4 === (channel === Math.floor(label / 2)) ? 170 : 60;
        pixels[index] = stripe + ((index * 7919 + number * 104_729) % 60);
      }
      const raw = { width: 44, height: 44, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(folder, name, `${number}.png`));
    }
  }
}

const classes = ['aa', 'bb', 'cc', 'dd', 'ee', 'ff'];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'resnode-train-'));
  await writePictures(at('pictures'), classes, 20);
  await preprocess({ pictures: at('pictures'), out: at('data'), size: 36, valSplit: 0.2 });
  result = await train({ ...settings('run'), onProgress: (event) => void events.push(event) });
}, 120_000);
afterAll(() => rmSync(root, { recursive: true }));

describe('train', () => {
  it('resolves to the history, and says where the checkpoints lie', async () => {
    expect(result).toMatchObject({
      status: 'finished',
      epoch: 3,
      step: 0,
      rejected: [],
      run: at('runs', 'run'),
    });
    expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const [first, , last] = result.history;
    expect(last?.loss).toBeLessThan(first?.loss ?? 0);
    expect(last?.valTop5).toBeGreaterThanOrEqual(last?.valAccuracy ?? 101);
    const best = Math.max(...result.history.map(({ valAccuracy }) => valAccuracy ?? 0));
    expect(result.best?.accuracy).toBe(best);
    expect(result.checkpoints.last).toBe(at('runs', 'run', 'checkpoints', 'epoch-0003.safetensors'));
    expect(result.checkpoints.best).toContain(`epoch-000${result.best?.epoch}`);
  });

  it('emits its events in order, and logs them with the time', async () => {
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'step');
    expect(kinds[0]).toBe('start');
    expect(kinds.filter((kind) => kind === 'epoch')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'checkpoint')).toHaveLength(3);
    const lines = readFileSync(at('runs', 'run', 'output.log'), 'utf8')
      .trim()
      .split('\n');
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S/);
    expect(lines[0]).toMatch(/start: resnet-32x1, 6 classes, 96 \+ 24 pictures/);
    expect(
      lines.filter((line) => / epoch=\d, loss=[\d.]+, val acc=[\d.]+, train acc=[\d.]+, lr=0.05 /.test(line)),
    ).toHaveLength(3);
    expect(lines.at(-1)).toMatch(/finished after epoch 3$/);
  });

  it('has nothing to do when the run is finished, and goes on for more epochs', async () => {
    const again = await train({ project: 'run', runDir: at('runs') });
    expect(again).toMatchObject({
      status: 'finished',
      history: result.history,
      checkpoints: result.checkpoints,
    });
    await cp(at('runs', 'run'), at('runs', 'longer'), { recursive: true });
    const longer = await train({ project: 'longer', runDir: at('runs'), epochs: 4, learningRate: 0.01 });
    expect(longer.history).toHaveLength(4);
    expect(longer.history.slice(0, 3)).toEqual(result.history);
    expect(longer.history[3]?.learningRate).toBe(0.01);
  });

  it('stopped before it began changes nothing and resolves', async () => {
    const stopped = await train({ ...settings('early'), signal: AbortSignal.abort() });
    expect(stopped).toMatchObject({ status: 'stopped', epoch: 0, step: 0, history: [] });
    expect(stopped.checkpoints).toEqual({ last: undefined, best: undefined });
  });

  it('goes on past a picture that broke on the disk, and names it once', async () => {
    await cp(at('data'), at('broken'), { recursive: true });
    const { train: samples, val } = await readDataset(at('broken'));
    const files = [samples[3]?.file ?? '', val[2]?.file ?? ''];
    for (const file of files)
      writeFileSync(at('broken', file), (await readFile(at('broken', file))).subarray(0, 300));
    const told: string[] = [];
    const outcome = await train({
      ...settings('broken'),
      data: at('broken'),
      epochs: 2,
      onProgress: (event) => void (event.kind === 'rejected' && told.push(event.file)),
    });
    expect(outcome.status).toBe('finished');
    expect(told.sort()).toEqual(files.sort());
    expect(outcome.rejected.map(({ file }) => file).sort()).toEqual(files);
    const log = readFileSync(at('runs', 'broken', 'output.log'), 'utf8');
    for (const file of files) expect(log.split(`rejected ${file}`)).toHaveLength(2);
    const tested = await evaluate({ project: 'broken', runDir: at('runs'), threads: 1 });
    expect(tested).toMatchObject({ images: 23, rejected: [{ file: val[2]?.file }] });
  });

  it("clipped, tells the gradient's norm in each epoch, and TensorBoard draws it", async () => {
    const clipped = await train({ ...settings('clipped'), epochs: 2, clipNorm: 0.5 });
    for (const { gradientNorm } of clipped.history) expect(gradientNorm).toBeGreaterThan(0);
    for (const { gradientNorm } of result.history) expect(gradientNorm).toBeUndefined();
    const drawn = (project: string): boolean => {
      const folder = at('runs', project, 'tensorboard');
      const files = readdirSync(folder).filter((name) => name.includes('tfevents'));
      return files.some((name) => readFileSync(join(folder, name)).includes('Gradient Norm'));
    };
    expect([drawn('clipped'), drawn('run')]).toEqual([true, false]);
  });

  it('refuses a run that exists when it shall not resume, leaving it as it is', async () => {
    const log = readFileSync(at('runs', 'run', 'output.log'), 'utf8');
    await expect(train({ ...settings('run'), resume: false })).rejects.toThrow(/trained already/);
    expect(readFileSync(at('runs', 'run', 'output.log'), 'utf8')).toBe(log);
  });
});

describe('transforms of a run', () => {
  it('make its pictures, in training and in all that looks at it afterwards', async () => {
    const normalize = Normalize({ mean: [50, 60, 70], std: [90, 80, 70] });
    const transforms = {
      train: [ShiftScaleRotate({ rotateLimit: 10, p: 1 }), RandomCrop({ height: 28, width: 28 }), normalize],
      val: [Resize({ height: 28, width: 28 }), VerticalFlip({ p: 1 }), normalize],
    };
    const { crop, ...others } = settings('transforms');
    const own = await train({ ...others, epochs: 1, transforms });
    const file = own.checkpoints.last ?? '';
    const { info } = await readCheckpoint(file);
    expect(info).toMatchObject({
      crop: { height: 28, width: 28 },
      normalization: { mean: [50, 60, 70], std: [90, 80, 70] },
      config: { transforms },
    });
    const measured = await evaluate({ checkpoint: file, threads: 1 });
    expect(measured.top1).toBe(own.history[0]?.valAccuracy);
    expect(measured.loss).toBeCloseTo(own.history[0]?.valLoss ?? 0, 5);
    const untouched = await train({ ...others, project: 'untouched', epochs: 1, crop: 28 });
    expect(untouched.history[0]?.loss).not.toBe(own.history[0]?.loss);
  });
});

describe('evaluate', () => {
  it('measures what the training measured, whatever the batches are', async () => {
    const { valAccuracy, valTop5, valLoss } = result.history[2] ?? {};
    for (const batchSize of [undefined, 24, 7]) {
      const measured = await evaluate({ project: 'run', runDir: at('runs'), batchSize, threads: 1 });
      expect(measured).toMatchObject({ images: 24, top1: valAccuracy, top5: valTop5, epoch: 3, classes: 6 });
      expect(measured.loss).toBeCloseTo(valLoss ?? 0, 5);
    }
  });

  it('measures the same on several replicas, whatever they get of a batch', async () => {
    const { valAccuracy, valTop5, valLoss } = result.history[2] ?? {};
    for (const devices of ['cpu:2', 'cpu:3']) {
      const measured = await evaluate({
        project: 'run',
        runDir: at('runs'),
        batchSize: 7,
        devices,
        threads: 1,
      });
      expect(measured).toMatchObject({ images: 24, top1: valAccuracy, top5: valTop5 });
      expect(measured.loss).toBeCloseTo(valLoss ?? 0, 5);
    }
    const wrong = evaluate({ project: 'run', runDir: at('runs'), devices: 'cpu:0' });
    await expect(wrong).rejects.toThrow(/1 to 64 replicas/);
  });

  it('takes the run that saved last, the best, or a file', async () => {
    const { last: checkpoint } = result.checkpoints;
    const best = await evaluate({ project: 'run', runDir: at('runs'), best: true, threads: 1 });
    expect(best.top1).toBe(result.best?.accuracy);
    expect((await evaluate({ checkpoint, threads: 1 })).checkpoint).toBe(checkpoint);
    const latest = await evaluate({ runDir: at('runs'), threads: 1 });
    expect(latest.checkpoint).toContain(at('runs'));
  });

  it('refuses a dataset of other classes, and says when the dataset is gone', async () => {
    await writePictures(at('other pictures'), ['aa', 'bb', 'zz'], 5);
    await preprocess({ pictures: at('other pictures'), out: at('other'), size: 36 });
    const choice = { project: 'run', runDir: at('runs') };
    await expect(evaluate({ ...choice, data: at('other') })).rejects.toThrow(
      /class 2 is 'zz' there and 'cc' here/,
    );
    await expect(evaluate({ ...choice, data: at('gone') })).rejects.toThrow(UserError);
    await expect(evaluate({ project: 'none', runDir: at('runs') })).rejects.toThrow(/none has no checkpoint/);
  });
});

describe('predict', () => {
  it('names five classes for each picture of a folder, the likeliest first', async () => {
    const { predictions, failed } = await predict({
      ...{ pictures: [at('pictures')], project: 'run', runDir: at('runs'), batchSize: 9, threads: 1 },
    });
    expect(failed).toEqual([]);
    expect(predictions).toHaveLength(120);
    for (const { classes: found } of predictions) {
      expect(found).toHaveLength(5);
      const probabilities = found.map(({ probability }) => probability);
      expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
      expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  it('sees in an original picture what the validation saw in its prepared copy', async () => {
    const { val } = await readDataset(at('data'));
    const copies = new Map(
      val.map(({ file, label }) => [readFileSync(at('data', file)).toString('base64'), label]),
    );
    const preparer = new PicturePreparer({ size: 36, centerCrop: false, quality: 96, statistics: false });
    const originals: Array<{ file: string; label: number }> = [];
    for (const name of classes) {
      for (let number = 0; number < 20; number++) {
        const file = at('pictures', name, `${number}.png`);
        const { jpeg } = await preparer.prepare(readFileSync(file));
        const label = copies.get(Buffer.from(jpeg).toString('base64'));
        if (label !== undefined) originals.push({ file, label });
      }
    }
    expect(originals).toHaveLength(val.length);
    const { predictions } = await predict({
      ...{
        pictures: originals.map(({ file }) => file),
        project: 'run',
        runDir: at('runs'),
        top: 1,
        threads: 1,
      },
    });
    const right = predictions.filter(
      (each, index) => each.classes[0]?.label === classes[originals[index]?.label ?? -1],
    );
    expect((100 * right.length) / val.length).toBe(result.history[2]?.valAccuracy);
  });

  it('names all classes where there are fewer than asked for, and the files it cannot use', async () => {
    writeFileSync(at('text.jpg'), 'I am no picture');
    const good = at('pictures', 'aa', '0.png');
    const outcome = await predict({
      ...{ pictures: [at('text.jpg'), good], project: 'run', runDir: at('runs'), top: 9, threads: 1 },
    });
    expect(outcome.failed).toEqual([
      { file: at('text.jpg'), reason: expect.stringContaining('not a picture') },
    ]);
    expect(outcome.predictions.map(({ file }) => file)).toEqual([good]);
    expect(outcome.predictions[0]?.classes).toHaveLength(6);
    await expect(predict({ pictures: [at('nowhere.jpg')] })).rejects.toThrow(/there is no .*nowhere.jpg/);
  });
});
