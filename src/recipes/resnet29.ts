import { experiment1 } from './experiments.js';
import type { Recipe } from './recipe.js';

export const resnet29: Recipe = {
  name: 'resnet29',
  says: 'stages 128x2,256x2,512x3,1024x2, trained as experiment 1',
  settings: { ...experiment1, model: 'resnet29' },
};
