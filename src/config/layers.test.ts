import { describe, expect, it } from 'vitest';
import type { Config } from './config.js';
import { mergeLayers } from './layers.js';

const names = ['flag', 'file', 'recipe'];
/** Merges layers, the one that wins first. */
const merged = (...configs: Config[]) =>
  mergeLayers(configs.map((config, index) => ({ source: names[index] ?? '', config })));

describe('layers', () => {
  it('the first that says a setting wins, and is named', () => {
    const { settings, project, runDir, sources } = merged(
      { epochs: 3 },
      { epochs: 5, project: 'birds', seed: 0 },
      { epochs: 80, seed: 7, runDir: 'elsewhere', batchSize: 128 },
    );
    expect(settings).toMatchObject({ epochs: 3, seed: 0, batchSize: 128 });
    expect({ project, runDir }).toEqual({ project: 'birds', runDir: 'elsewhere' });
    expect(Object.fromEntries(sources)).toEqual({
      ...{ epochs: 'flag', project: 'file', seed: 'file', runDir: 'recipe', batchSize: 'recipe' },
    });
  });

  it('say nothing by undefined', () => {
    expect(merged({ epochs: undefined, log: { file: undefined } }, { epochs: 4 })).toMatchObject({
      settings: { epochs: 4 },
      log: {},
    });
  });

  it('sections are merged key by key', () => {
    const { log, preprocess, sources } = merged(
      { log: { level: 'warn' }, preprocess: { size: 64 } },
      { log: { level: 'info', format: 'json' }, preprocess: { size: 128, valSplit: 0.1 } },
    );
    expect(log).toEqual({ level: 'warn', format: 'json' });
    expect(preprocess).toEqual({ size: 64, valSplit: 0.1 });
    expect(sources.get('log.level')).toBe('flag');
    expect(sources.get('preprocess.valSplit')).toBe('file');
  });

  it.each<[Config[], object | undefined]>([
    [[{}, { model: 'resnet50' }], { name: 'resnet50' }],
    [[{ model: 'alexnet' }, { stages: '32x1', block: 'bn-conv-relu' }], { name: 'alexnet' }],
    [[{ stages: [[32, 1]] }, { model: 'resnet20' }], { name: 'resnet', stages: [[32, 1]] }],
    [[{ block: 'bn-conv-relu' }, { model: 'resnet20' }], { name: 'resnet20', block: 'bn-conv-relu' }],
    [[{ block: 'bn-conv-relu' }], { name: 'resnet26', block: 'bn-conv-relu' }],
    [
      [{ model: 'resnet', stages: '32x1,64x2' }],
      {
        name: 'resnet',
        stages: [
          [32, 1],
          [64, 2],
        ],
      },
    ],
    [[{ model: { family: 'resnet-cifar', depth: 20 } }], { family: 'resnet-cifar', depth: 20 }],
    [[{ epochs: 1 }], undefined],
  ])('the model of %j', (configs, model) => {
    expect(merged(...configs).settings.model).toEqual(model);
  });

  it.each<[Config[], object]>([
    [[{ optimizer: { momentum: 0.8 } }, { optimizer: 'sgd' }], { kind: 'sgd', momentum: 0.8 }],
    [
      [{ optimizer: { weightDecay: 0 } }, {}, { optimizer: { kind: 'adam', weightDecay: 1, beta1: 0.8 } }],
      { kind: 'adam', weightDecay: 0, beta1: 0.8 },
    ],
    [[{ optimizer: 'adam' }, { optimizer: { kind: 'sgd', momentum: 0.9 } }], { kind: 'adam' }],
    [[{ optimizer: 'adam' }, { optimizer: { momentum: 0.9 } }], { kind: 'adam' }],
    [[{ optimizer: 'sgd,nesterov=false,momentum=.5' }], { kind: 'sgd', nesterov: false, momentum: 0.5 }],
    [[{ optimizer: { kind: 'sgd' } }, { optimizer: { momentum: 0.8 } }], { kind: 'sgd', momentum: 0.8 }],
  ])('the optimizer of %j', (configs, optimizer) => {
    expect(merged(...configs).settings.optimizer).toEqual(optimizer);
  });

  it('a schedule is one thing, as text or as an object', () => {
    const { settings } = merged({ schedule: 'cosine,tMax=5' }, { schedule: { name: 'step', stepSize: 3 } });
    expect(settings.schedule).toEqual({ name: 'cosine', tMax: 5 });
  });

  it('what a setting makes void below it goes', () => {
    const transforms = { train: [] };
    expect(merged({ transforms }, { flip: false }).settings).not.toHaveProperty('flip');
    expect(merged({ transforms: {} }, { flip: false }).settings).toMatchObject({ flip: false });
    expect(merged({ flip: false }, { transforms }).settings).toMatchObject({ flip: false, transforms });
    expect(merged({ batchSize: 8 }, { batchSize: 16, valBatchSize: 64 }).settings).not.toHaveProperty(
      'valBatchSize',
    );
    const readClassLabel = (path: string): string => path;
    const { preprocess } = merged({ preprocess: { labelPattern: 'a' } }, { preprocess: { readClassLabel } });
    expect(preprocess).toEqual({ labelPattern: 'a' });
  });
});
