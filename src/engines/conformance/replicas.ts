import { describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { initialValues } from '../../graph/initialize.js';
import { createModel } from '../../models/index.js';
import type { Communicator, Exchanged, FloatRange } from '../../parallel/communicator.js';
import { floatsAt } from '../../parallel/native-floats.js';
import { noSums } from '../../train/metrics.js';
import { Optimizer } from '../../train/optimizers/index.js';
import { trainingGraph } from '../../train/training-graph.js';
import { TrainingStep } from '../../train/training-step.js';
import type { Engine } from '../engine.js';

const [size, classes, batch] = [32, 5, 4];

/** Large enough for several sums. */
const model = createModel({
  family: 'resnet',
  stages: [
    [256, 1],
    [512, 1],
    [1024, 1],
  ],
});

/** Another replica that always has the same gradients, so that a sum is twice one's own. */
class Twin implements Communicator {
  readonly rank = 0;
  readonly size = 2;
  readonly background;
  /** What was called, in turn. */
  readonly calls: Array<'whole' | 'begin' | 'progress' | 'finish'> = [];
  readonly begun: FloatRange[] = [];
  #pending: Array<{ now: Float32Array; before: Float32Array }> = [];

  constructor({ background }: { background: boolean }) {
    this.background = background
      ? { begin: this.#begin, progress: () => this.#note('progress'), finish: this.#finish }
      : undefined;
  }

  allReduce(data: Exchanged): void {
    this.#note('whole');
    const floats = 'address' in data ? floatsAt(data) : data;
    floats.forEach((value, index) => {
      floats[index] = 2 * value;
    });
  }

  broadcast(): void {}
  barrier(): void {}
  close(): void {}

  #note(call: Twin['calls'][number]): void {
    this.calls.push(call);
  }

  readonly #begin = (data: FloatRange): void => {
    this.#note('begin');
    this.begun.push(data);
    const now = floatsAt(data);
    this.#pending.push({ now, before: now.slice() });
  };

  readonly #finish = (): void => {
    this.#note('finish');
    for (const { now, before } of this.#pending.splice(0)) {
      // whoever wrote in between would spoil the sum
      expect(same(now, before)).toBe(true);
      now.forEach((value, index) => {
        now[index] = 2 * value;
      });
    }
  };
}

/** Sums over replicas as the steps of a program: after the backward pass, and beside it. */
export function replicaConformance(engine: () => Engine): void {
  describe('gradients of several replicas', () => {
    it('are added up beside the backward pass as after it', () => {
      const [after, beside] = [new Twin({ background: false }), new Twin({ background: true })];
      const expected = train(engine(), after, false);
      const found = train(engine(), beside, true);
      expect(after.calls).toEqual(['whole', 'whole']);
      expect(different(found, expected)).toEqual([]);
      const sums = beside.calls.filter((call) => call === 'begin').length / 2;
      expect(sums).toBeGreaterThan(3);
      expect(beside.calls.filter((call) => call === 'finish')).toHaveLength(2);
      // most of the backward pass comes behind the first sum
      const under = beside.calls.slice(beside.calls.indexOf('begin'), beside.calls.indexOf('finish'));
      expect(under.filter((call) => call === 'progress').length).toBeGreaterThan(20);
      expectApart(beside.begun.slice(0, sums));
    });

    it('are added up at once where nothing goes on beside', () => {
      const twin = new Twin({ background: false });
      const expected = train(engine(), new Twin({ background: false }), false);
      const found = train(engine(), twin, true);
      expect(twin.calls).toEqual(['whole', 'whole']);
      expect(different(found, expected)).toEqual([]);
    });
  });
}

/** Names of the tensors that are not the same to the last bit. */
function different(
  found: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): string[] {
  return [...expected]
    .filter(([name, values]) => !same(found.get(name) ?? new Float32Array(), values))
    .map(([name]) => name);
}

function same(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** Every gradient is in one sum: the stretches lie one behind the other. */
function expectApart(ranges: readonly FloatRange[]): void {
  const sorted = ranges.toSorted((a, b) => Number(a.address - b.address));
  sorted.forEach(({ address, length }, index) => {
    const next = sorted[index + 1];
    // up to the next cache line is filling
    if (next) expect(Number(next.address - address) - 4 * length).toBeLessThan(64);
    if (next) expect(Number(next.address - address) - 4 * length).toBeGreaterThanOrEqual(0);
  });
}

/** Weights and gradients after two steps. */
function train(engine: Engine, communicator: Communicator, overlap: boolean): Map<string, Float32Array> {
  const options = {
    ...{ optimizer: new Optimizer({ kind: 'sgd', momentum: 0.9 }), classes, height: size, width: size },
    ...{ replicas: 2, overlap },
  };
  const graph = trainingGraph(model, { ...options, batchSize: batch });
  const state = engine.createState();
  try {
    const program = engine.compile(graph, { state, communicator, poison: true });
    for (const [name, values] of initialValues(graph, 1)) state.write(name, values);
    const step = new TrainingStep({ ...options, program, graph, seed: 1 });
    const images = fill('images', batch * 3 * size * size);
    const labels = Int32Array.from({ length: batch }, (_, row) => row % classes);
    for (const index of [1, 2]) {
      const moment = {
        learningRate: 0.02,
        momentum: Number.NaN,
        step: index,
        sums: noSums,
        scaler: undefined,
      };
      step.run({ images, labels, labelled: 2 * batch }, moment);
    }
    program.close();
    const names = graph.values('parameter').map(({ name }) => name);
    return new Map([
      ...names.map((name) => [name, state.read(name)] as const),
      ...names.map((name) => [`gradient of ${name}`, state.read(name, 'gradient')] as const),
    ]);
  } finally {
    state.close();
  }
}
