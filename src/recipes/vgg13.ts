import { sibling } from './experiments.js';
import type { Recipe } from './recipe.js';

export const vgg13: Recipe = {
  name: 'vgg13',
  says: 'VGG of 13 layers: 53.45 % of Caltech-256 in the original',
  settings: { ...sibling, model: 'vgg13', batchSize: 32, valBatchSize: 32, epochs: 70 },
};
