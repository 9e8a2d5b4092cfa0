import { experiment1 } from './experiments.js';
import type { Recipe } from './recipe.js';

export const resnet26: Recipe = {
  name: 'resnet26',
  says: 'experiment 1, SGD and plateau: 53.28 % of Caltech-256 in the original',
  settings: { ...experiment1, model: 'resnet26' },
};
