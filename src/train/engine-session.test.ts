import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BatchReader } from '../data/loader/batch-reader.js';
import { BatchWriter } from '../data/loader/batch-writer.js';
import { type BatchRing, closeRing, createRing } from '../data/loader/ring.js';
import type { Engine } from '../engines/engine.js';
import { engines } from '../engines/registry.js';
import { floatsOf, parseSafetensors, SafetensorsWriter } from '../interop/safetensors.js';
import { createModel } from '../models/index.js';
import { EngineSession, type TrainSpan } from './engine-session.js';
import { noSums } from './metrics.js';
import { Optimizer, type OptimizerSpec } from './optimizers/index.js';
import { trainingGraph } from './training-graph.js';

const [size, classes, batchSize] = [16, 3, 6];
const model = createModel({ family: 'resnet', stages: [[16, 1]] });

let engine: Engine;
beforeAll(async () => {
  engine = await engines.onednn({ threads: 1 });
});
afterAll(() => engine.close());

/** A ring that holds these batches, as a loader leaves it. Each class has its own brightness. */
function ringOf(batches: ReadonlyArray<readonly number[]>): BatchRing {
  const ring = createRing({ slots: batches.length + 1, capacity: batchSize, height: size, width: size });
  const writer = new BatchWriter(ring);
  batches.forEach((labels, batch) => {
    labels.forEach((label, position) => {
      const at = writer.imageOffset(position);
      for (let index = 0; index < 3 * size * size; index++) {
        writer.images(batch)[at + index] = label + 0.3 * Math.sin(index * (position + 1) * (batch + 1));
      }
      const last = batch === batches.length - 1;
      writer.finish(batch, position, label, { job: 0, index: batch, count: labels.length, last });
    });
  });
  return ring;
}

interface Made {
  session: EngineSession;
  ring: BatchRing;
  stop: Int32Array;
}

function make(batches: ReadonlyArray<readonly number[]>, spec: OptimizerSpec = { kind: 'sgd' }): Made {
  const ring = ringOf(batches);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const session = new EngineSession({
    ...{ engine, model, classes, height: size, width: size, stop },
    reader: new BatchReader(ring),
    training: {
      ...{ batchSize, optimizer: new Optimizer(spec), labelSmoothing: 0, seed: 1 },
      initialization: 'xavier',
    },
  });
  return { session, ring, stop };
}

const noBytes = new Uint8Array();
const batch = [0, 1, 2, 0, 1, 2];
const span = (batches: number, globalStep = 0) => ({ batches, globalStep, learningRate: 0.05, sums: noSums });

describe('an engine session', () => {
  it.each<OptimizerSpec>([
    { kind: 'sgd' },
    { kind: 'sgd', noDecay: true },
    { kind: 'adam' },
    { kind: 'adamw', noDecay: true },
  ])('learns, and goes on from a snapshot as if nothing had happened: %j', (spec) => {
    const batches = Array.from({ length: 12 }, () => batch);
    const whole = make(batches, spec);
    whole.session.initialize({ seed: 4 });
    const learned = whole.session.train(span(12));
    expect(learned).toMatchObject({ ended: 'done', batches: 12, sums: { images: 72 } });
    expect(learned.sums.top1).toBeGreaterThan(36);

    const first = make(batches.slice(0, 5), spec);
    first.session.initialize({ seed: 4 });
    const { sums } = first.session.train(span(5));
    const bytes = first.session.snapshot({ metadata: { note: 'x' }, globalStep: 5 });
    if (!bytes) throw new Error('no snapshot');
    // the batches differ by their number, so the rest needs the same numbers
    const second = make(batches, spec);
    for (let skipped = 0; skipped < 5; skipped++) skip(second.ring);
    second.session.restore({ bytes, path: 'x', optimizer: true });
    const rest = second.session.train({ ...span(7, 5), sums });
    expect(rest.sums).toEqual(learned.sums);
    const request = { metadata: {}, globalStep: 12 };
    const final = whole.session.snapshot(request);
    expect(second.session.snapshot(request)).toEqual(final);
    // memory that was used before changes nothing
    const into = new ArrayBuffer((final?.length ?? 0) + 99);
    new Uint8Array(into).fill(0xff);
    const again = second.session.snapshot({ ...request, into });
    expect(again?.buffer).toBe(into);
    expect(again).toEqual(final);
    for (const { session } of [whole, first, second]) session.close();
  });

  it('gives its state the names that others know', () => {
    const { session } = make([batch]);
    session.initialize({ seed: 4 });
    session.train(span(1));
    const { tensors } = parseSafetensors(
      session.snapshot({ metadata: {}, globalStep: 9 }) ?? new Uint8Array(),
    );
    expect(tensors.get('stem.conv.weight')?.shape).toEqual([64, 3, 7, 7]);
    expect(tensors.get('optimizer.momentum.stem.conv.weight')?.shape).toEqual([64, 3, 7, 7]);
    const tracked = tensors.get('norm.num_batches_tracked');
    expect(tracked).toMatchObject({ dtype: 'I64', shape: [] });
    expect(tracked?.bytes[0]).toBe(9);
    expect(tensors.has('optimizer.momentum.norm.running_mean')).toBe(false);
    session.close();
  });

  it('gives the gradients of the last batch, also after a validation, and none before there was one', () => {
    const { session } = make([batch, batch, batch], { kind: 'sgd', momentum: 0, weightDecay: 0 });
    session.initialize({ seed: 4 });
    expect(session.gradients({})).toBeUndefined();
    const weights = () =>
      parseSafetensors(session.snapshot({ metadata: {}, globalStep: 0 }) ?? noBytes).tensors;
    session.train(span(1));
    const before = weights();
    session.train(span(1, 1));
    const after = weights();
    session.validate({ batches: 1 });
    const gradients = parseSafetensors(session.gradients({}) ?? noBytes).tensors;
    const parameters = [...after.keys()].filter(
      (name) => /(weight|bias)$/.test(name) && !/^optimizer/.test(name),
    );
    expect([...gradients.keys()].sort()).toEqual(parameters.sort());
    for (const [name, tensor] of gradients) {
      const [old, now] = [before, after].map((each) => floatsOf(each.get(name) ?? tensor));
      const steps = floatsOf(tensor).map((value) => 0.05 * value);
      expect(Math.max(...steps.map(Math.abs))).toBeGreaterThan(0);
      steps.forEach((step, index) => {
        expect(Math.abs((old?.[index] ?? 0) - (now?.[index] ?? 0) - step)).toBeLessThan(1e-6);
      });
    }
    session.close();
  });

  it('measures by running statistics, also on a smaller last batch and without the unreadable', () => {
    const { session } = make([batch, batch, [0, -1, 2, 1], [1]]);
    session.initialize({ seed: 4 });
    session.train(span(1));
    const result = session.validate({ batches: 3 });
    expect(result).toMatchObject({ ended: 'done', batches: 3, sums: { images: 10, top5: 10 } });
    expect(Number.isFinite(result.sums.loss)).toBe(true);
    session.close();
  });

  it('passes over a batch in which nothing could be read', () => {
    const { session } = make([[-1, -1, -1, -1, -1, -1], batch]);
    session.initialize({ seed: 4 });
    expect(session.train(span(2))).toMatchObject({ ended: 'done', sums: { images: 6 } });
    session.close();
  });

  it('stops at a loss that is no number, and does not hand out such weights', () => {
    const { session } = make([batch, batch, batch, batch]);
    session.initialize({ seed: 4 });
    const result = session.train({ ...span(4), learningRate: 1e30 });
    expect(result.ended).toBe('notFinite');
    expect(result.batches).toBeGreaterThan(1);
    expect(session.snapshot({ metadata: {}, globalStep: 1 })).toBeUndefined();
    session.close();
  });

  it('takes the rate and the momentum of each step where they are given', () => {
    const trained = (spec: OptimizerSpec, rates: Partial<TrainSpan>) => {
      const { session } = make(Array(3).fill(batch), spec);
      session.initialize({ seed: 4 });
      session.train({ ...span(3), ...rates });
      const { tensors } = parseSafetensors(
        session.snapshot({ metadata: {}, globalStep: 3 }) ?? new Uint8Array(),
      );
      session.close();
      return Buffer.from(tensors.get('head.fc.weight')?.bytes ?? '').toString('hex');
    };
    const own = { kind: 'sgd', momentum: 0.9, nesterov: false };
    const none = { kind: 'sgd', momentum: 0, nesterov: false };
    const numbers = (...values: number[]) => Float64Array.of(...values);
    expect(trained(own, { momentum: numbers(0, 0, 0) })).toBe(trained(none, {}));
    expect(trained(own, { momentum: numbers(Number.NaN, 0.9, Number.NaN) })).toBe(trained(own, {}));
    expect(trained(own, { learningRate: numbers(0.05, 0.05, 0.05) })).toBe(trained(own, {}));
    const first = trained(own, { batches: 1 });
    expect(trained(own, { learningRate: numbers(0.05, 0, 0) })).toBe(first);
    expect(trained(own, { learningRate: numbers(0, 0, 0.05) })).not.toBe(first);
  });

  it('pauses between two steps when the time is up, and goes on as if it had not', () => {
    const batches = [batch, batch, batch];
    const [whole, paused] = [make(batches), make(batches)];
    for (const { session } of [whole, paused]) session.initialize({ seed: 4 });
    const learned = whole.session.train(span(3));
    // at least one batch each time, and the last one ends the span
    const first = paused.session.train({ ...span(3), milliseconds: 0 });
    expect(first).toMatchObject({ ended: 'paused', batches: 1 });
    const second = paused.session.train({ ...span(2, 1), sums: first.sums, milliseconds: 0 });
    expect(second).toMatchObject({ ended: 'paused', batches: 1 });
    const third = paused.session.train({ ...span(1, 2), sums: second.sums, milliseconds: 0 });
    expect(third).toMatchObject({ ended: 'done', batches: 1 });
    expect(third.sums).toEqual(learned.sums);
    const request = { metadata: {}, globalStep: 3 };
    expect(paused.session.snapshot(request)).toEqual(whole.session.snapshot(request));
    for (const { session } of [whole, paused]) session.close();
  });

  it('ends between two steps when it is told to, and when no more batches come', () => {
    const stopped = make([batch, batch]);
    stopped.session.initialize({ seed: 4 });
    Atomics.store(stopped.stop, 0, 1);
    expect(stopped.session.train(span(2))).toMatchObject({ ended: 'stopped', batches: 0 });
    stopped.session.close();
    const starved = make([batch]);
    starved.session.initialize({ seed: 4 });
    closeRing(starved.ring);
    expect(starved.session.train(span(3))).toMatchObject({ ended: 'starved', batches: 1, reason: /closed/ });
    starved.session.close();
  });

  it('says which tensor of a checkpoint is missing or has another shape', () => {
    const { session } = make([batch]);
    session.initialize({ seed: 4 });
    const { tensors } = parseSafetensors(
      session.snapshot({ metadata: {}, globalStep: 0 }) ?? new Uint8Array(),
    );
    const without = (change: (specs: Map<string, number[]>) => void): Uint8Array => {
      const specs = new Map(
        [...tensors.values()]
          .filter(({ dtype }) => dtype === 'F32')
          .map(({ name, shape }) => [name, [...shape]]),
      );
      change(specs);
      return new SafetensorsWriter(
        [...specs].map(([name, shape]) => ({ name, dtype: 'F32', shape })),
        {},
      ).finish();
    };
    const restore =
      (bytes: Uint8Array, optimizer = true) =>
      () =>
        session.restore({ bytes, path: 'old.safetensors', optimizer });
    const gone = without((specs) => specs.delete('norm.bias'));
    expect(restore(gone)).toThrow("the checkpoint old.safetensors lacks the tensor 'norm.bias'");
    const other = without((specs) => specs.set('head.fc.weight', [7, 16, 1, 1]));
    expect(restore(other)).toThrow("'head.fc.weight' of the checkpoint old.safetensors is 7x16x1x1 F32");
    const plain = without((specs) => {
      for (const name of specs.keys()) if (name.startsWith('optimizer.')) specs.delete(name);
    });
    expect(restore(plain)).toThrow("'optimizer.momentum.");
    expect(restore(plain, false)).not.toThrow();
    session.close();
  });
});

/** Takes a batch away, as an earlier process has done. */
function skip(ring: BatchRing): void {
  const reader = new BatchReader(ring);
  const taken = reader.take();
  if (taken) reader.release(taken);
}

describe('a training graph', () => {
  const graph = (spec: OptimizerSpec) =>
    trainingGraph(model, { batchSize, classes, height: size, width: size, optimizer: new Optimizer(spec) });

  it('takes the numbers that its optimizer gives', () => {
    for (const kind of ['sgd', 'adam', 'adamw']) {
      for (const noDecay of [false, true]) {
        const inputs = graph({ kind, noDecay })
          .values('input')
          .map(({ name }) => name);
        const scalars = new Optimizer({ kind, noDecay }).scalars({ learningRate: 1, update: 1 });
        expect(inputs.sort()).toEqual(['image', 'labels', ...Object.keys(scalars)].sort());
      }
    }
  });

  it('spares biases and norms the weight decay in a node of their own', () => {
    const nodes = graph({ kind: 'sgd', noDecay: true }).nodes.filter(({ kind }) => kind === 'sgd');
    const decays = nodes.map(
      ({ inputs }) => new Set(inputs.filter(({ role }) => role === 'parameter').map((each) => each.decays)),
    );
    expect(decays).toEqual([new Set([true]), new Set([false])]);
  });

  it('counts the updates of Adam from one', () => {
    const scalars = new Optimizer({ kind: 'adam' }).scalars({ learningRate: 0.1, update: 2 });
    expect(scalars.biasCorrection1).toBeCloseTo(1 - 0.81, 12);
    expect(scalars.biasCorrection2).toBeCloseTo(1 - 0.998001, 12);
  });
});
