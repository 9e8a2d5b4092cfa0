import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../../test/golden/formula.js';
import { goldenPath, relativeError } from '../engines/conformance/golden.js';
import type { Engine, EngineState } from '../engines/engine.js';
import { engines } from '../engines/registry.js';
import { Graph } from '../graph/graph.js';
import { initialValues } from '../graph/initialize.js';
import type { Model } from '../models/model.js';
import { appendGradientPath, type GradientPath } from './gradient-path.js';
import { noSums } from './metrics.js';
import { Optimizer, type OptimizerSpec } from './optimizers/index.js';
import { firstScale, type ScalerState, scalerAfter } from './precision/loss-scaler.js';
import { trainingGraph } from './training-graph.js';
import { TrainingStep } from './training-step.js';

const [size, classes, batch] = [10, 4, 12];

/** Of float32 sums in another order; Adam divides small ones by small ones. A wrong share would make 1e-1. */
const rounding = 5e-5;

/** A network without batch norm, whose batch is no more than its pictures. */
const model: Model = {
  name: 'plain',
  description: { family: 'plain' },
  minimumSize: size,
  defaultSize: size,
  build(layers, image, out) {
    const hidden = layers.relu(
      'relu',
      layers.conv('conv', image, { out: 8, kernel: 3, padding: 1, bias: true }),
    );
    const pooled = layers.maxPool('pool', hidden, { kernel: 2, stride: 2 });
    const second = layers.relu('relu2', layers.conv('conv2', pooled, { out: 16, kernel: 3, stride: 2 }));
    return layers.linear('head', layers.flatten('flat', second), { out, std: 0.1 });
  },
};

let engine: Engine;
beforeAll(async () => {
  engine = await engines.onednn({ threads: 1 });
});
afterAll(() => engine.close());

interface Trained {
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly losses: number[];
  readonly norms: Array<number | undefined>;
  readonly scalers: Array<ScalerState | undefined>;
}

function trained(
  path: GradientPath,
  spec: OptimizerSpec,
  { steps = 3, scaler, blowUp = [] }: { steps?: number; scaler?: ScalerState; blowUp?: number[] } = {},
): Trained {
  const optimizer = new Optimizer(spec);
  const micro = batch / (path.accumulate ?? 1);
  const options = { optimizer, classes, height: size, width: size, ...path };
  const graph = trainingGraph(model, { ...options, batchSize: micro });
  const state: EngineState = engine.createState();
  try {
    const program = engine.compile(graph, { state, poison: true });
    for (const [name, values] of initialValues(graph, 1)) state.write(name, values);
    const step = new TrainingStep({ ...options, program, graph, seed: 1 });
    const [losses, norms, scalers]: [number[], Trained['norms'], Trained['scalers']] = [[], [], []];
    let last = scaler;
    for (let index = 0; index < steps; index++) {
      const images = fill(`images:${index}`, batch * 3 * size * size);
      if (blowUp.includes(index)) images[5] = Number.POSITIVE_INFINITY;
      // unreadable pictures, unevenly over the parts; in the second step a whole part of them
      const labels = Int32Array.from({ length: batch }, (_, row) =>
        row === 1 || (index === 1 && row < 6) ? -1 : (row * 7 + index) % classes,
      );
      const moment = {
        learningRate: 0.05,
        momentum: Number.NaN,
        step: index + 1,
        sums: noSums,
        scaler: last,
      };
      const result = step.run({ images, labels }, moment);
      if (!result) throw new Error('the loss is not finite');
      last = result.scaler;
      losses.push(result.sums.loss / result.sums.images);
      norms.push(result.sums.norm);
      scalers.push(result.scaler);
    }
    const values = new Map([...state.values.keys()].map((name) => [name, state.read(name)] as const));
    program.close();
    return { values, losses, norms, scalers };
  } finally {
    state.close();
  }
}

function expectSame(actual: Trained, expected: Trained, tolerance: number): void {
  expect(actual.losses).toHaveLength(expected.losses.length);
  for (const [index, loss] of expected.losses.entries()) expect(actual.losses[index]).toBeCloseTo(loss, 5);
  for (const [name, values] of expected.values) {
    expect(relativeError(actual.values.get(name) ?? new Float32Array(), values), name).toBeLessThan(
      tolerance,
    );
  }
}

const optimizers: OptimizerSpec[] = [
  { kind: 'sgd' },
  { kind: 'sgd', momentum: 0, nesterov: false, noDecay: true },
  { kind: 'adam', epsilon: 1e-4 },
  { kind: 'adamw', epsilon: 1e-4, noDecay: true },
];

describe('micro-batches', () => {
  describe.each(optimizers)('of $kind', (spec) => {
    it.each([2, 3, 4, 12])('%i of them are the whole batch', (accumulate) => {
      expectSame(trained({ accumulate }, spec), trained({}, spec), rounding);
    });

    it('are clipped together', () => {
      const clips = { clipNorm: 0.1, clipValue: 0.02 };
      const [parts, whole] = [trained({ accumulate: 3, ...clips }, spec), trained(clips, spec)];
      expectSame(parts, whole, rounding);
      expect(whole.norms.every((norm) => norm !== undefined && norm > 0.1)).toBe(true);
      expect(
        relativeError(whole.values.get('conv.weight') ?? new Float32Array(), [
          ...(trained({}, spec).values.get('conv.weight') ?? []),
        ]),
      ).toBeGreaterThan(1e-4);
    });
  });
});

describe('a scaled loss', () => {
  const spec = { kind: 'adam', epsilon: 1e-4 };

  it.each([1, 3])('moves nothing else, in %i micro-batches', (accumulate) => {
    expectSame(
      trained({ accumulate, scaled: true, clipNorm: 1 }, spec),
      trained({ clipNorm: 1 }, spec),
      rounding,
    );
  });

  it.each([1, 3])('leaves out a step whose gradient is infinite, in %i micro-batches', (accumulate) => {
    const skipped = trained({ accumulate, scaled: true }, spec, { steps: 3, blowUp: [2] });
    const before = trained({}, spec, { steps: 2 });
    for (const [name, values] of before.values) {
      expect(relativeError(skipped.values.get(name) ?? new Float32Array(), values), name).toBeLessThan(
        rounding,
      );
    }
    expect(skipped.scalers.at(-1)).toEqual({ scale: 32_768, good: 0, skipped: 1, inARow: 1 });
  });

  it('counts the steps of Adam without those left out', () => {
    const skipped = trained({ scaled: true }, spec, { steps: 4, blowUp: [0] });
    expect(skipped.scalers.at(-1)).toEqual({ scale: 32_768, good: 3, skipped: 1, inARow: 0 });
    expect(skipped.losses[0]).toBeNaN();
  });
});

describe('the loss scaler against torch.amp.GradScaler', () => {
  const golden = JSON.parse(readFileSync(goldenPath('loss-scaler.json'), 'utf8')) as {
    initial: number;
    growthInterval: number;
    count: number;
    rate: number;
    steps: Array<{ overflow: boolean; scale: number; parameter: number[] }>;
  };

  it('has its scale after each step, and Adam its parameters', () => {
    const { count, growthInterval, rate } = golden;
    const graph = new Graph();
    const parameter = graph.parameter('parameter', [count], { kind: 'constant', value: 0 }, true);
    const optimizer = new Optimizer({ kind: 'adam' });
    const gradient = graph.input('gradient', [count]);
    optimizer.append(graph, appendGradientPath(graph, [[parameter, gradient]], { scaled: true }));
    const state = engine.createState();
    const program = engine.compile(graph, { state, poison: true });
    state.write('parameter', fill('parameter', count));
    let scaler: ScalerState = { ...firstScale, scale: golden.initial };
    golden.steps.forEach(({ overflow, scale, parameter: expected }, index) => {
      const given = fill(`gradient:${index}`, count).map((value) => value * scaler.scale);
      if (overflow) given[index] = Number.POSITIVE_INFINITY;
      const update = index + 1 - scaler.skipped;
      const scalars = optimizer.scalars({ learningRate: rate, momentum: Number.NaN, update });
      const numbers = Object.entries({ ...scalars, lossScale: scaler.scale });
      const inputs = numbers.map(([name, value]) => [name, Float32Array.of(value)] as const);
      program.run({ gradient: given, ...Object.fromEntries(inputs) });
      const found = program.read('foundInfinite')[0] !== 0;
      expect(found, `step ${index + 1}`).toBe(overflow);
      scaler = scalerAfter(scaler, found, { growthInterval });
      expect(scaler.scale, `scale after step ${index + 1}`).toBe(scale);
      expect(relativeError(state.read('parameter'), expected), `step ${index + 1}`).toBeLessThan(1e-5);
    });
    expect(scaler.skipped).toBe(golden.steps.filter(({ overflow }) => overflow).length);
    program.close();
    state.close();
  });
});
