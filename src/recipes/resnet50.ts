import { experiment1 } from './experiments.js';
import type { Recipe } from './recipe.js';

export const resnet50: Recipe = {
  name: 'resnet50',
  says: 'stages 256x3,512x4,1024x6,2048x3, trained as experiment 1',
  settings: { ...experiment1, model: 'resnet50' },
};
