import { describe, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { Graph } from '../../graph/graph.js';
import { adam, sgd } from '../../graph/ops/optimizers.js';
import type { Engine } from '../engine.js';
import { expectClose, type GoldenCase, readGolden } from './golden.js';

const tolerance = 1e-5;
const kept = [1, 2, 10, 50];

interface Attributes {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly betas: [number, number];
  readonly epsilon: number;
  readonly learningRates: number[];
  readonly gradientScale: number;
}

/** Fifty steps of each optimizer with a rate that changes at each, against torch.optim. */
export function optimizerConformance(engine: () => Engine): void {
  describe('optimizers against PyTorch', () => {
    for (const golden of readGolden('optimizers.safetensors')) it(golden.id, () => runCase(engine(), golden));
  });
}

function runCase(engine: Engine, golden: GoldenCase): void {
  const attributes = golden.attributes as unknown as Attributes;
  const initial = golden.tensors.get('initial')?.data as Float32Array;
  const graph = new Graph();
  const parameter = graph.parameter('parameter', [initial.length], { kind: 'constant', value: 0 }, true);
  const gradient = graph.input('gradient', [initial.length]);
  const scalar = (name: string) => graph.input(name, [1]);
  if (golden.op === 'sgd') {
    const scalars = ['learningRate', 'momentum', 'weightDecay'].map(scalar);
    graph.apply(sgd, { nesterov: attributes.nesterov }, [...scalars, parameter, gradient], 'update');
  } else {
    const [, beta2] = attributes.betas;
    const names = ['learningRate', 'beta1', 'biasCorrection1', 'biasCorrection2', 'weightDecay'];
    const scalars = names.map(scalar);
    const options = { beta2, epsilon: attributes.epsilon, decoupled: golden.op === 'adamw' };
    graph.apply(adam, options, [...scalars, parameter, gradient], 'update');
  }
  const state = engine.createState();
  try {
    const program = engine.compile(graph, { state });
    state.write('parameter', initial);
    attributes.learningRates.forEach((learningRate, index) => {
      const step = index + 1;
      const [beta1, beta2] = attributes.betas ?? [0, 0];
      program.run({
        gradient: fill(`gradient:${step}`, initial.length, attributes.gradientScale),
        learningRate: Float32Array.of(learningRate),
        momentum: Float32Array.of(attributes.momentum ?? 0),
        weightDecay: Float32Array.of(attributes.weightDecay),
        beta1: Float32Array.of(beta1),
        biasCorrection1: Float32Array.of(1 - beta1 ** step),
        biasCorrection2: Float32Array.of(1 - beta2 ** step),
      });
      const expected = kept.includes(step) ? golden.tensors.get(`step${step}`) : undefined;
      if (expected) expectClose(`step ${step}`, state.read('parameter'), expected.data, tolerance);
    });
    program.close();
  } finally {
    state.close();
  }
}
