import { exitCodes, UserError } from '../errors.js';
import { didYouMean } from '../read-options.js';
import { alexnet } from './alexnet.js';
import { cifarResNet164 } from './cifar-resnet164.js';
import type { Recipe } from './recipe.js';
import { resnet20 } from './resnet20.js';
import { resnet26 } from './resnet26.js';
import { resnet29 } from './resnet29.js';
import { resnet38 } from './resnet38.js';
import { resnet50 } from './resnet50.js';
import { vgg13 } from './vgg13.js';
import { zfnet } from './zfnet.js';

/** All recipes, in the order of the original's table: one line each. */
export const recipes: readonly Recipe[] = [
  alexnet,
  zfnet,
  vgg13,
  resnet26,
  resnet20,
  resnet29,
  resnet38,
  resnet50,
  cifarResNet164,
];

/** @throws UserError for an unknown name, with the nearest known */
export function findRecipe(name: string): Recipe {
  const recipe = recipes.find((each) => each.name === name);
  if (recipe) return recipe;
  const known = recipes.map((each) => each.name);
  throw new UserError(`there is no recipe '${name}'`, {
    exitCode: exitCodes.usage,
    hint: `${didYouMean(name, known)}recipes: ${known.join(', ')}`,
  });
}
