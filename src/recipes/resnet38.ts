import { experiment1 } from './experiments.js';
import type { Recipe } from './recipe.js';

export const resnet38: Recipe = {
  name: 'resnet38',
  says: 'stages 128x3,256x3,512x4,1024x2, trained as experiment 1',
  settings: { ...experiment1, model: 'resnet38' },
};
