import { sibling } from './experiments.js';
import type { Recipe } from './recipe.js';

/** For pictures of 256 px, of which it sees 227. */
export const alexnet: Recipe = {
  name: 'alexnet',
  says: 'AlexNet: 46.51 % of Caltech-256 in the original',
  settings: { ...sibling, model: 'alexnet', batchSize: 256, epochs: 100 },
};
