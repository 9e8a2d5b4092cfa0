import type { Config } from '../config/config.js';
import { originalTransforms } from './original-transforms.js';

/** What the first experiment of DeepLearning_MiniProjects' ResNet said: SGD, and less of it when nothing gets better. */
export const experiment1 = {
  batchSize: 128,
  valBatchSize: 64,
  epochs: 80,
  initialization: 'xavier',
  learningRate: 0.01,
  optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  schedule: { name: 'reduceLrOnPlateau', mode: 'max', factor: 0.5, patience: 3, threshold: 0.01 },
  transforms: originalTransforms,
} satisfies Config;

/** What AlexNet, ZFNet and VGG13 have in common there. */
export const sibling = {
  ...experiment1,
  optimizer: { ...experiment1.optimizer, weightDecay: 5e-4 },
} satisfies Config;
