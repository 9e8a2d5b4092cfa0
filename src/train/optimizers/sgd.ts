import { z } from 'zod';
import { sgd as sgdNode } from '../../graph/ops/optimizers.js';
import { defineOptimizer } from './optimizer.js';

/** Stochastic gradient descent with momentum, by default Nesterov's, as PyTorch's `SGD`. */
export const sgd = defineOptimizer({
  kind: 'sgd',
  settings: z.strictObject({
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(true),
    weightDecay: z.number().min(0).default(1e-4),
    noDecay: z.boolean().default(false),
  }),
  defaultLearningRate: 0.01,
  slots: ['momentum'],
  append(graph, pairs, { settings, name, weightDecay, input }) {
    const scalars = [input('learningRate'), input('momentum'), weightDecay];
    graph.apply(sgdNode, { nesterov: settings.nesterov }, [...scalars, ...pairs.flat()], name);
  },
  scalars: ({ momentum: own }, { learningRate, momentum = Number.NaN }) => ({
    learningRate,
    momentum: Number.isNaN(momentum) ? own : momentum,
  }),
});
