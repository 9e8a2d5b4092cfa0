import { describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { initialValues } from '../../graph/initialize.js';
import { createModel, type ModelSpec } from '../../models/index.js';
import { noSums } from '../../train/metrics.js';
import { Optimizer } from '../../train/optimizers/index.js';
import type { Precision } from '../../train/precision/precision.js';
import { inferenceGraph, trainingGraph } from '../../train/training-graph.js';
import { TrainingStep } from '../../train/training-step.js';
import type { Engine } from '../engine.js';

const [size, classes, batch] = [32, 5, 8];

interface Case {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly size?: number;
}

const cases: readonly Case[] = [
  {
    name: 'pre-activation ResNet',
    spec: {
      family: 'resnet',
      stages: [
        [32, 1],
        [64, 1],
      ],
    },
  },
  { name: 'BN-Conv-ReLU ResNet', spec: { family: 'resnet', stages: [[32, 1]], block: 'bn-conv-relu' } },
  { name: 'CIFAR ResNet', spec: { family: 'resnet-cifar', depth: 8, block: 'basic' } },
];

/** Of the first loss, and of the direction of all gradients together: eight digits of two, against eleven. */
const tolerances = {
  bf16: { loss: 2e-2, cosine: 0.97 },
  fp16: { loss: 3e-3, cosine: 0.995 },
} as const;

interface Trained {
  readonly losses: readonly number[];
  /** All gradients of the first step, one behind the other. */
  readonly gradients: Float32Array;
  readonly logits: Float32Array;
  readonly finite: boolean;
}

/** Whole networks in half precision beside fp32 on the same engine: same weights, same batches. */
export function precisionConformance(engine: () => Engine, precision: 'bf16' | 'fp16'): void {
  describe(`networks in ${precision}`, () => {
    it.each(cases.map((each) => [each.name, each] as const))('%s', (_, { spec }) => {
      const [half, full] = [train(engine(), spec, precision), train(engine(), spec, 'fp32')];
      const tolerance = tolerances[precision];
      const [first = Number.NaN, expected = Number.NaN] = [half.losses[0], full.losses[0]];
      expect(Math.abs(first - expected) / expected).toBeLessThan(tolerance.loss);
      // not the very same: a cast that is lost would show here
      expect(half.gradients).not.toEqual(full.gradients);
      expect(cosine(half.gradients, full.gradients)).toBeGreaterThan(tolerance.cosine);
      expect(half.finite).toBe(true);
      const [last = Number.NaN, lastExpected = Number.NaN] = [half.losses.at(-1), full.losses.at(-1)];
      expect(last).toBeLessThan(first);
      expect(Math.abs(last - lastExpected) / lastExpected).toBeLessThan(5 * tolerance.loss);
      expect(cosine(half.logits, full.logits)).toBeGreaterThan(0.9);
    });
  });
}

function train(engine: Engine, spec: ModelSpec, precision: Precision): Trained {
  const model = createModel(spec);
  const optimizer = new Optimizer({ kind: 'sgd', momentum: 0.9 });
  const scaled = precision === 'fp16';
  const options = { optimizer, classes, height: size, width: size, precision, scaled };
  const graph = trainingGraph(model, { ...options, batchSize: batch });
  const state = engine.createState();
  try {
    const program = engine.compile(graph, { state, poison: true });
    for (const [name, values] of initialValues(graph, 1)) state.write(name, values);
    const step = new TrainingStep({ ...options, program, graph, seed: 1 });
    const images = fill('images', batch * 3 * size * size);
    const labels = Int32Array.from({ length: batch }, (_, row) => row % classes);
    const losses: number[] = [];
    let gradients = new Float32Array();
    let scaler: Parameters<TrainingStep['run']>[1]['scaler'];
    for (let index = 0; index < 10; index++) {
      const moment = { learningRate: 0.02, momentum: Number.NaN, step: index + 1, sums: noSums, scaler };
      const result = step.run({ images, labels }, moment);
      if (!result) throw new Error('the loss is not finite');
      scaler = result.scaler;
      losses.push(result.sums.loss / result.sums.images);
      if (index > 0) continue;
      const parts = graph.values('parameter').map(({ name }) => [...state.read(name, 'gradient')]);
      gradients = Float32Array.from(parts.flat());
    }
    program.close();
    const evaluation = engine.compile(inferenceGraph(model, { ...options, batchSize: batch }), {
      state,
      poison: true,
    });
    evaluation.run({ image: images });
    const logits = evaluation.read('logits');
    evaluation.close();
    const finite = [...state.values.keys()].every((name) => state.read(name).every(Number.isFinite));
    return { losses, gradients, logits, finite };
  } finally {
    state.close();
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, first, second] = [0, 0, 0];
  a.forEach((value, index) => {
    product += value * (b[index] ?? 0);
    first += value * value;
    second += (b[index] ?? 0) ** 2;
  });
  return product / Math.sqrt(first * second);
}
