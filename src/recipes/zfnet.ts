import { sibling } from './experiments.js';
import type { Recipe } from './recipe.js';

export const zfnet: Recipe = {
  name: 'zfnet',
  says: 'ZFNet: 49.67 % of Caltech-256 in the original',
  settings: { ...sibling, model: 'zfnet', epochs: 100 },
};
