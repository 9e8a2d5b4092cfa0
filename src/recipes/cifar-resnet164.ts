import { cifarTransforms } from './original-transforms.js';
import type { Recipe } from './recipe.js';

/**
 * He et al. 2016, "Identity Mappings in Deep Residual Networks", for CIFAR: 64,000 steps of 128 pictures, a tenth of
 * the rate after 32,000 and 48,000 of them; the first 400 begin with a tenth (the paper held it there, here it rises).
 * An epoch of CIFAR's 50,000 pictures has 390.
 */
export const cifarResNet164: Recipe = {
  name: 'cifar-resnet164',
  says: "the paper's CIFAR ResNet of 164 layers: 5.46 % error on CIFAR-10, 24.33 % on CIFAR-100",
  settings: {
    model: 'cifar-resnet164',
    batchSize: 128,
    epochs: 164,
    initialization: 'kaiming',
    learningRate: 0.1,
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 1e-4 },
    schedule: {
      name: 'multiStep',
      milestones: [82, 123],
      gamma: 0.1,
      warmup: { steps: 400, startFactor: 0.1 },
    },
    transforms: cifarTransforms,
  },
};
