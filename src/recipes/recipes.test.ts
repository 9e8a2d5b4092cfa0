import { expect, it } from 'vitest';
import { mergeLayers } from '../config/layers.js';
import { readConfig } from '../config/read-config.js';
import type { Dataset } from '../data/dataset.js';
import { transforms as registry } from '../data/transforms/registry.js';
import { resolveTraining } from '../train/config.js';
import { findRecipe, recipes } from './index.js';
import { cifarTransforms, originalTransforms } from './original-transforms.js';

const dataset = (minSide: number): Dataset => ({
  ...{
    folder: 'data',
    classes: ['a', 'b'],
    mean: [1, 2, 3],
    std: [1, 1, 1],
    val: [],
    fingerprint: '',
    minSide,
  },
  train: Array.from({ length: 256 }, (_, index) => ({ file: `${index}.jpg`, label: index % 2 })),
});

const resolved = (name: string, minSide: number) => {
  const { settings } = mergeLayers([{ source: name, config: findRecipe(name).settings }]);
  return resolveTraining({ given: settings, dataset: dataset(minSide) });
};

it.each(recipes.map((recipe) => [recipe.name, recipe] as const))('%s can be trained', (name, recipe) => {
  expect(readConfig(name, recipe.settings)).toEqual(recipe.settings);
  const { config, model } = resolved(name, 256);
  expect(model.name).toBe(name);
  expect(config).toMatchObject({
    epochs: recipe.settings.epochs,
    learningRate: recipe.settings.learningRate,
  });
});

it('the crop fits the model, or smaller pictures', () => {
  expect(resolved('alexnet', 256).config.crop).toBe(227);
  expect(resolved('resnet20', 256).config.crop).toBe(224);
  expect(resolved('resnet20', 128).config.crop).toBe(112);
  expect(resolved('cifar-resnet164', 32).config.crop).toBe(32);
});

it('experiments 1 and 2 are as the original says', () => {
  expect(resolved('resnet26', 256).config).toMatchObject({
    ...{ batchSize: 128, valBatchSize: 64, epochs: 80, learningRate: 0.01, initialization: 'xavier' },
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
    schedule: { name: 'reduceLrOnPlateau', mode: 'max', factor: 0.5, patience: 3, threshold: 0.01 },
  });
  expect(resolved('resnet20', 256).config).toMatchObject({
    ...{ batchSize: 128, epochs: 80, learningRate: 0.001 },
    optimizer: { kind: 'adam', weightDecay: 1e-4 },
  });
  expect(resolved('alexnet', 256).config).toMatchObject({
    ...{ batchSize: 256, epochs: 100, optimizer: { kind: 'sgd', weightDecay: 5e-4 } },
  });
  expect(resolved('vgg13', 256).config).toMatchObject({ batchSize: 32, epochs: 70 });
});

it('an unknown name is answered with the nearest', () => {
  expect(() => findRecipe('resnet21')).toThrow(
    expect.objectContaining({
      message: "there is no recipe 'resnet21'",
      hint: expect.stringMatching(/resnet2/),
    }),
  );
});

it('the transforms end in pictures of the size that the network sees', () => {
  const size = { height: 112, width: 96 };
  for (const lists of [originalTransforms(size), cifarTransforms(size)]) {
    const crops = [lists.train, lists.val].map((list) => list?.find(({ name }) => name.endsWith('Crop')));
    expect(crops.map((crop) => crop?.options)).toEqual([size, size]);
  }
});

const used = [originalTransforms, cifarTransforms].flatMap((make) => {
  const { train = [], val = [] } = make({ height: 32, width: 32 });
  return [...train, ...val].map(({ name }) => name);
});

it.runIf(used.every((name) => registry.has(name)))('the recipes use their transforms', () => {
  for (const { name } of recipes)
    expect(resolved(name, 256).config.transforms?.train?.length, name).toBeGreaterThan(3);
});
