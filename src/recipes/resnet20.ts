import { experiment1 } from './experiments.js';
import type { Recipe } from './recipe.js';

export const resnet20: Recipe = {
  name: 'resnet20',
  says: 'experiment 2, Adam and cosine: 59.32 % of Caltech-256 in the original',
  settings: {
    ...experiment1,
    model: 'resnet20',
    learningRate: 1e-3,
    optimizer: { kind: 'adam', weightDecay: 1e-4 },
    // the original's etaMin was changed by hand after epoch 50
    schedule: { name: 'cosineAnnealing', tMax: 5, etaMin: 1e-5, etaMinAfter: { epoch: 50, etaMin: 1e-7 } },
  },
};
