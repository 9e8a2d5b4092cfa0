import { afterEach, describe, expect, it } from 'vitest';
import { closeRing, failRing } from '../data/loader/ring.js';
import type { EngineName } from '../engines/registry.js';
import { hasTorch } from '../engines/torch/testing/available.js';
import { floatsOf, parseSafetensors } from '../interop/safetensors.js';
import { createModel } from '../models/index.js';
import { EngineGroup, type TrainingEngine } from './engine-group.js';
import { noSums } from './metrics.js';
import { ringOf } from './testing/batch-ring.js';

const [size, classes, batchSize] = [32, 4, 32];
const model = createModel({
  family: 'resnet',
  stages: [
    [16, 1],
    [32, 1],
  ],
});
const batch = Array.from({ length: batchSize }, (_, index) => index % classes);

const open: TrainingEngine[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()));
});

interface Setup {
  batches?: ReadonlyArray<readonly number[]>;
  devices?: number;
  syncBatchNorm?: boolean;
  engine?: EngineName;
  accumulate?: number;
}

const engineNames: EngineName[] = hasTorch ? ['onednn', 'torch'] : ['onednn'];

async function start(setup: Setup) {
  const { batches = [batch, batch, batch], devices = 2, syncBatchNorm = true } = setup;
  const { engine: name = 'onednn', accumulate } = setup;
  const ring = ringOf(batches, { capacity: batchSize, size });
  const engine = await EngineGroup.start({
    ...{ engine: name, threads: devices, ring, classes, height: size, width: size },
    model: model.description,
    devices: new Array<string>(devices).fill('cpu'),
    training: {
      ...{ batchSize, labelSmoothing: 0.1, seed: 1, initialization: 'xavier', syncBatchNorm, accumulate },
      optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 1e-4, nesterov: true, noDecay: false },
    },
  });
  open.push(engine);
  await engine.call('initialize', { seed: 4 });
  return { engine, ring };
}

const span = (batches: number, globalStep = 0) => ({ batches, globalStep, learningRate: 0.05, sums: noSums });

/** Parameters, running statistics and the optimizer's state. */
async function stateOf(engine: TrainingEngine, globalStep: number): Promise<Map<string, Float32Array>> {
  const bytes = await engine.call('snapshot', { metadata: {}, globalStep });
  if (!bytes) throw new Error('no snapshot');
  const floats = [...parseSafetensors(bytes).tensors].filter(([, { dtype }]) => dtype === 'F32');
  return new Map(floats.map(([name, tensor]) => [name, floatsOf(tensor).slice()]));
}

function largestDifference(a: Map<string, Float32Array>, b: Map<string, Float32Array>) {
  let largest = { name: '', difference: 0 };
  for (const [name, values] of a) {
    const others = b.get(name);
    values.forEach((value, index) => {
      const difference = Math.abs(value - (others?.[index] ?? Number.NaN));
      if (!(difference <= largest.difference)) largest = { name, difference };
    });
  }
  return largest;
}

describe('a group of engines', () => {
  describe.each(engineNames)('of %s', (name) => {
    it.each([
      ['all pictures can be read', batch],
      ['some cannot, more of them at one replica', batch.map((label, index) => (index < 5 ? -1 : label))],
      ['one replica has none', batch.map((label, index) => (index < 16 ? -1 : label))],
    ])('with common batch norm statistics takes the same steps as one engine: %s', async (_, labels) => {
      const batches = [labels, labels, labels, labels];
      const alone = (await start({ engine: name, batches, devices: 1 })).engine;
      const together = (await start({ engine: name, batches })).engine;
      for (let step = 0; step < batches.length; step++) {
        const expected = await alone.call('train', span(1, step));
        const result = await together.call('train', span(1, step));
        expect(result).toMatchObject({ ended: 'done', batches: 1 });
        expect(result.sums.images).toBe(expected.sums.images);
        expect(result.sums.loss / result.sums.images).toBeCloseTo(
          expected.sums.loss / expected.sums.images,
          5,
        );
        const { name, difference } = largestDifference(
          await stateOf(alone, step + 1),
          await stateOf(together, step + 1),
        );
        expect(difference, name).toBeLessThan(1e-5);
      }
    });

    it('goes through all micro-batches together, whoever has pictures in them', async () => {
      const halves = batch.map((label, index) => (index >= 8 ? -1 : label));
      const { engine } = await start({ engine: name, batches: [halves, batch], accumulate: 2 });
      const result = await engine.call('train', span(2));
      expect(result).toMatchObject({ ended: 'done', batches: 2, sums: { images: 8 + batchSize } });
    });
  });

  it('with statistics of each replica takes other steps', async () => {
    const alone = (await start({ devices: 1 })).engine;
    const together = (await start({ syncBatchNorm: false })).engine;
    await alone.call('train', span(1));
    await together.call('train', span(1));
    expect(largestDifference(await stateOf(alone, 1), await stateOf(together, 1)).difference).toBeGreaterThan(
      1e-4,
    );
  });

  it('gives the same numbers every time', async () => {
    const states: Array<Map<string, Float32Array>> = [];
    for (const _ of [0, 1]) {
      const { engine } = await start({ devices: 4 });
      await engine.call('train', span(2));
      states.push(await stateOf(engine, 2));
    }
    expect(states[1]).toEqual(states[0]);
  });

  it('measures an uneven last batch as one engine does, and keeps the order of the pictures', async () => {
    const batches = [batch, batch, [0, 1, 2, -1, 3], [2]];
    const results = [];
    for (const devices of [1, 2, 4]) {
      const first = await start({ batches, devices, syncBatchNorm: false });
      const validated = await first.engine.call('validate', { batches: 4 });
      const second = await start({ batches, devices, syncBatchNorm: false });
      const { pictures, ...classified } = await second.engine.call('classify', {
        batches: 4,
        sums: noSums,
        top: 2,
      });
      expect(classified.sums.images).toBe(69);
      expect(classified.sums.loss).toBeCloseTo(validated.sums.loss, 8);
      results.push({ validated, pictures });
    }
    const [one, ...groups] = results;
    for (const group of groups) {
      expect(group.validated.sums).toMatchObject({
        ...one?.validated.sums,
        loss: expect.closeTo(one?.validated.sums.loss ?? 0, 3),
      });
      expect(group.pictures.labels).toEqual(one?.pictures.labels);
      expect(group.pictures.ids).toEqual(one?.pictures.ids);
      group.pictures.losses.forEach((loss, index) => {
        expect(loss).toBeCloseTo(one?.pictures.losses[index] ?? Number.NaN, 4);
      });
    }
  });

  it('stops all replicas at the same step', async () => {
    const batches = Array.from({ length: 40 }, () => batch);
    const { engine } = await start({ batches });
    const training = engine.call('train', span(40));
    await new Promise<void>((resolve) => {
      engine.onProgress = () => resolve();
    });
    engine.stop();
    const result = await training;
    expect(result.ended).toBe('stopped');
    expect(result.sums.images).toBe(result.batches * batchSize);
    expect(result.batches).toBeLessThan(40);
  });

  it('pauses by the clock of the first one, and goes on with the next batch', async () => {
    const batches = Array.from({ length: 6 }, () => batch);
    const { engine } = await start({ batches });
    const paused = await engine.call('train', { ...span(6), milliseconds: 0 });
    expect(paused).toMatchObject({ ended: 'paused', batches: 1 });
    const rest = await engine.call('train', { ...span(5, 1), sums: paused.sums });
    expect(rest).toMatchObject({ ended: 'done', batches: 5, sums: { images: 6 * batchSize } });
    const whole = (await start({ batches })).engine;
    expect((await whole.call('train', span(6))).sums).toEqual(rest.sums);
    expect(await stateOf(engine, 6)).toEqual(await stateOf(whole, 6));
  });

  it('ends with the reason when no more pictures come', async () => {
    const { engine, ring } = await start({ batches: [batch] });
    const training = engine.call('train', span(2));
    failRing(ring, 'the disk is gone');
    expect(await training).toMatchObject({ ended: 'starved', reason: 'the disk is gone' });
    closeRing(ring);
  });

  it('ends at the step whose loss is no number', async () => {
    const { engine } = await start({});
    const result = await engine.call('train', { ...span(3), learningRate: 1e30 });
    expect(result).toMatchObject({ ended: 'notFinite', batches: 2, sums: { images: batchSize } });
  });

  it('says what a replica says that has failed, and works no more', async () => {
    const { engine } = await start({});
    const broken = engine.call('restore', {
      bytes: new Uint8Array(3),
      path: 'x.safetensors',
      optimizer: true,
    });
    await expect(broken).rejects.toThrow('cut off after 3 bytes');
    await expect(engine.call('train', span(1))).rejects.toThrow(/replica \d has failed: /);
  });
});
