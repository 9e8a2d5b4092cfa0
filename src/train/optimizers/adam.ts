import { z } from 'zod';
import { adam as adamNode } from '../../graph/ops/optimizers.js';
import { defineOptimizer, type OptimizerDefinition } from './optimizer.js';

const settings = (weightDecay: number) =>
  z.strictObject({
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().min(0).default(weightDecay),
    noDecay: z.boolean().default(false),
  });

type Settings = ReturnType<typeof settings>;

function define(kind: string, decoupled: boolean, weightDecay: number): OptimizerDefinition<Settings> {
  return defineOptimizer({
    kind,
    settings: settings(weightDecay),
    defaultLearningRate: 0.001,
    slots: ['exp_avg', 'exp_avg_sq'],
    append(graph, pairs, { settings: { beta2, epsilon }, name, weightDecay: decay, input }) {
      const scalars = ['learningRate', 'beta1', 'biasCorrection1', 'biasCorrection2'].map(input);
      graph.apply(adamNode, { beta2, epsilon, decoupled }, [...scalars, decay, ...pairs.flat()], name);
    },
    scalars({ beta1: own, beta2 }, { learningRate, momentum = Number.NaN, update }) {
      const beta1 = Number.isNaN(momentum) ? own : momentum;
      return {
        learningRate,
        beta1,
        // of the beta1 of now, as if it had been the same all along: PyTorch does it so
        biasCorrection1: 1 - beta1 ** update,
        biasCorrection2: 1 - beta2 ** update,
      };
    },
  });
}

/** Adam with the decay in the gradient, as PyTorch's `Adam`, and with its defaults. */
export const adam = define('adam', false, 0);

/** Adam with the decay apart from the gradient, as PyTorch's `AdamW`, and with its defaults. */
export const adamw = define('adamw', true, 1e-2);
