import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../data/dataset.js';
import {
  CenterCrop,
  HorizontalFlip,
  Lambda,
  Normalize,
  PadIfNeeded,
  RandomCrop,
  ShiftScaleRotate,
} from '../data/transforms/index.js';
import { resolveTraining, sameModel, type TrainSettings } from './config.js';
import { completeLists, runNormalization } from './transform-lists.js';

const dataset: Dataset = {
  folder: '/data/birds',
  classes: ['a', 'b', 'c'],
  mean: [1, 2, 3],
  std: [1, 1, 1],
  train: Array.from({ length: 100 }, (_, index) => ({ file: `train/${index}.jpg`, label: index % 3 })),
  val: [],
  minSide: 256,
  fingerprint: 'f00d',
};

const resolved = (given: TrainSettings, set = dataset) => resolveTraining({ given, dataset: set }).config;

describe('settings of a training', () => {
  it('are those of experiment 1 by default', () => {
    expect(resolved({})).toMatchObject({
      model: { family: 'resnet' },
      crop: 224,
      batchSize: 64,
      valBatchSize: 64,
      learningRate: 0.01,
      optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
      schedule: { name: 'reduceLrOnPlateau', mode: 'max', factor: 0.5, patience: 3, threshold: 0.01 },
      checkpointInterval: 1,
    });
  });

  it('crop smaller pictures as 224 crops 256', () => {
    expect(resolved({}, { ...dataset, minSide: 128 }).crop).toBe(112);
    expect(resolved({ crop: 128 }, { ...dataset, minSide: 128 }).crop).toBe(128);
  });

  it('take their learning rate from the optimizer', () => {
    expect(resolved({ optimizer: { kind: 'adam' } }).learningRate).toBe(0.001);
    expect(resolved({ optimizer: { momentum: 0 } }).optimizer).toMatchObject({
      momentum: 0,
      nesterov: false,
    });
  });

  it('are as before where they are not given again', () => {
    const saved = resolved({ batchSize: 32, epochs: 7, optimizer: { momentum: 0.8 }, seed: 5, flip: false });
    const again = resolveTraining({ given: {}, saved, dataset });
    expect(again.config).toEqual(saved);
    const changed = resolveTraining({ given: { epochs: 9, optimizer: { weightDecay: 0 } }, saved, dataset });
    expect(changed.config).toEqual({
      ...saved,
      epochs: 9,
      optimizer: { ...saved.optimizer, weightDecay: 0 },
    });
    const other = resolveTraining({ given: { batchSize: 16, optimizer: { kind: 'adamw' } }, saved, dataset });
    expect(other.config).toMatchObject({ batchSize: 16, valBatchSize: 16, optimizer: { kind: 'adamw' } });
    expect(other.config.optimizer).not.toHaveProperty('momentum');
  });

  it('take transforms, and the crop from them', () => {
    const train = [
      ShiftScaleRotate({ rotateLimit: [-15, -15] }),
      RandomCrop({ height: 96, width: 96 }),
      Normalize({ mean: [9, 9, 9] }),
    ];
    const config = resolved({ transforms: { train } });
    expect(config).toMatchObject({ crop: 96, transforms: { train } });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    // the validation sees what the training saw, in the middle
    expect(completeLists({ height: 96, width: 96 }, config).val).toEqual([
      CenterCrop({ height: 96, width: 96 }),
      train[2],
    ]);
    expect(runNormalization(config, dataset)).toEqual({ mean: [9, 9, 9], std: [1, 1, 1] });
    const again = resolveTraining({ given: { epochs: 9 }, saved: config, dataset }).config;
    expect(again).toEqual({ ...config, epochs: 9 });
    const larger = {
      train: [PadIfNeeded({ minHeight: 300, minWidth: 300 }), CenterCrop({ height: 300, width: 300 })],
    };
    expect(resolved({ transforms: { ...larger, val: larger.train } }).crop).toBe(300);
  });

  it('keep the whole paths of own transforms, and those of before wherever it goes on', () => {
    const lambda = (module: string) => Lambda({ module, export: 'f' });
    const lists = { train: [CenterCrop({ height: 8, width: 8 }), lambda('own.ts')] };
    const saved = resolved({ transforms: lists });
    expect(saved.transforms?.train?.at(-1)).toEqual(lambda(resolve('own.ts')));
    const other = { ...saved, transforms: { train: [lambda('/elsewhere/own.ts')] } };
    const again = resolveTraining({ given: {}, saved: other, dataset }).config;
    expect(again.transforms).toEqual(other.transforms);
  });

  it('crop and mirror where no transforms are given', () => {
    const size = { height: 224, width: 224 };
    expect(completeLists(size, resolved({}))).toEqual({
      train: [RandomCrop(size), HorizontalFlip()],
      val: [CenterCrop(size)],
    });
    expect(completeLists(size, resolved({ flip: false })).train).toEqual([RandomCrop(size)]);
    expect(resolved({}).transforms).toBeUndefined();
  });

  const other = { train: [RandomCrop({ height: 96, width: 90 })] };
  const unlike = { train: [Normalize({ mean: [9, 9, 9] })], val: [Normalize()] };

  it.each<[TrainSettings, RegExp]>([
    [{ transforms: other }, /pictures of 96 x 90; the network takes square ones/],
    [{ transforms: { val: [CenterCrop({ height: 96, width: 96 })] }, crop: 90 }, /96 x 96.*90 x 90/],
    [{ transforms: { train: [{ name: 'Crop', options: {} }] } }, /there is no transform Crop/],
    [{ transforms: { train: [], extra: [] } as never }, /transforms cannot be/],
    [{ transforms: unlike }, /normalise training and validation pictures differently/],
    [{ transforms: { train: [] }, flip: false }, /flip has no say/],
    [{ epochs: 0 }, /^epochs cannot be 0/],
    [{ workers: 0 }, /^workers cannot be 0/],
    [{ workers: 'many' as never }, /^workers cannot be "many"/],
    [{ cacheSize: '4XB' }, /cache of pictures cannot be of size "4XB"/],
    [{ cache: 'disk', cacheSize: '10kB' }, /cache of pictures cannot be of size "10kB"/],
    [{ batchSize: 101 }, /batch size of 101 is above the 100/],
    [{ batchSize: 1.5 }, /batch size cannot be 1.5/],
    [{ crop: 257 }, /crop of 257 .* shortest side is 256/],
    [{ crop: 20, model: { name: 'vgg13' } }, /20 px are too small for vgg13/],
    [{ classes: 4 }, /3 classes, not 4/],
    [{ learningRate: Number.NaN }, /learning rate/],
    [{ optimizer: { kind: 'adam', momentum: 0.9 } }, /optimizer 'adam' has no option 'momentum'/],
    [{ optimizer: { kind: 'agd' } }, /no optimizer 'agd'/],
  ])('refuse %j', (given, message) => {
    expect(() => resolved(given)).toThrow(message);
  });

  it('refuse a dataset of one class', () => {
    expect(() => resolved({}, { ...dataset, classes: ['a'] })).toThrow(/one class only/);
  });
});

it('models are compared by what they are, not by the order of their keys', () => {
  const a = { family: 'resnet', stages: [[32, 1]], block: 'pre-activation' };
  const b = { block: 'pre-activation', stages: [[32, 1]], family: 'resnet' };
  expect(sameModel(a, b)).toBe(true);
  expect(sameModel(a, { ...b, stages: [[32, 2]] })).toBe(false);
});
