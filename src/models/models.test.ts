import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { elements, Graph } from '../graph/graph.js';
import { checkPictureSize, createModel, type ModelSpec, modelNames } from './index.js';
import { Layers, type LayersOptions } from './layers.js';
import type { Model } from './model.js';

function build(
  model: Model,
  options: { size?: number; classes?: number; layers?: Partial<LayersOptions> } = {},
): Graph {
  const { size = model.defaultSize, classes = 256 } = options;
  const graph = new Graph();
  const input = graph.input('image', [2, 3, size, size]);
  const logits = model.build(new Layers(graph, { training: true, ...options.layers }), input, classes);
  expect(logits.shape).toEqual([2, classes]);
  return graph;
}

function parameters(graph: Graph): number {
  return graph.values('parameter').reduce((sum, value) => sum + elements(value), 0);
}

describe('number of parameters', () => {
  it.each([
    ['resnet20', 2_630_080],
    ['resnet26', 3_765_056],
    ['resnet29', 4_045_120],
    ['resnet38', 4_413_376],
    ['resnet50', 24_024_896],
    ['resnet101', 43_017_024],
    ['resnet152', 58_660_672],
    ['resnet200', 63_141_696],
    ['resnet20-bn-conv-relu', 2_634_054],
    ['resnet26-bn-conv-relu', 3_770_758],
    ['resnet29-bn-conv-relu', 4_051_590],
    ['resnet38-bn-conv-relu', 4_421_190],
    ['resnet50-bn-conv-relu', 24_047_366],
    // the wider network that the original's code makes for its ResNet-20
    ['resnet-256x1-512x2-1080x2-2048x1-bn-conv-relu', 10_338_606],
    ['alexnet', 59_349_312],
    ['zfnet', 104_600_640],
    ['vgg13', 130_005_578],
  ])('of %s at 256 classes is %i', (name, expected) => {
    expect(parameters(build(createModel({ name })))).toBe(expected);
  });

  it.each([
    ['cifar-resnet20', 272_282],
    ['cifar-resnet29', 312_218],
    ['cifar-resnet110', 1_730_522],
    ['cifar-resnet164', 1_703_258],
    ['cifar-resnet1001', 10_327_706],
  ])('of %s at 10 classes is %i', (name, expected) => {
    expect(parameters(build(createModel({ name }), { classes: 10 }))).toBe(expected);
  });
});

describe('tensor names and shapes', () => {
  interface Golden {
    network: string;
    stages?: Array<[number, number]>;
    depth?: number;
    block?: 'basic' | 'bottleneck';
    pixels: number;
    classes: number;
    tensors: Record<string, { shape: number[] }>;
  }
  const folder = new URL('../../test/golden/networks/', import.meta.url);
  const specs: Record<string, (golden: Golden) => ModelSpec> = {
    preact: ({ stages = [] }) => ({ family: 'resnet', stages }),
    'bn-conv-relu': ({ stages = [] }) => ({ family: 'resnet', stages, block: 'bn-conv-relu' }),
    cifar: ({ depth = 0, block }) => ({ family: 'resnet-cifar', depth, block }),
  };
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

  it.each(files)("are PyTorch's in %s", (file) => {
    const golden = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden;
    const model = createModel(specs[golden.network]?.(golden) ?? { name: golden.network });
    const graph = build(model, { size: golden.pixels, classes: golden.classes });
    const shapes = graph.values('parameter').map(({ name, shape }) => [name, shape]);
    const expected = Object.entries(golden.tensors).map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual(Object.fromEntries(expected));
  });

  it("are timm's ResNetV2 names, running statistics included", () => {
    const graph = build(createModel({ family: 'resnet', stages: [[8, 2]] }));
    const tensors = [...graph.values('parameter'), ...graph.values('statistic')];
    const norm = (name: string) =>
      ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `${name}.${part}`);
    const block = (path: string) => [
      ...[1, 2, 3].flatMap((number) => [...norm(`${path}.norm${number}`), `${path}.conv${number}.weight`]),
    ];
    expect(tensors.map(({ name }) => name).sort()).toEqual(
      [
        'stem.conv.weight',
        ...block('stages.0.blocks.0'),
        'stages.0.blocks.0.downsample.conv.weight',
        ...block('stages.0.blocks.1'),
        ...norm('norm'),
        'head.fc.weight',
        'head.fc.bias',
      ].sort(),
    );
    const head = tensors.find(({ name }) => name === 'head.fc.weight');
    expect(head?.shape).toEqual([256, 8, 1, 1]);
  });
});

describe('layout', () => {
  it('halves the plane at the stem, the pooling, and every stage but the first', () => {
    const graph = build(createModel({ name: 'resnet26' }));
    const shape = (name: string) =>
      graph.nodes.find((node) => node.name === name)?.outputs[0]?.shape.slice(1);
    expect(shape('stem.conv')).toEqual([64, 112, 112]);
    expect(shape('stem.pool')).toEqual([64, 56, 56]);
    expect([0, 1, 2, 3].map((stage) => shape(`stages.${stage}.blocks.1.add`))).toEqual([
      [128, 56, 56],
      [256, 28, 28],
      [512, 14, 14],
      [1024, 7, 7],
    ]);
    // the stride is the 3x3 convolution's, not the first 1x1's
    expect(shape('stages.1.blocks.0.conv1')).toEqual([64, 56, 56]);
    expect(shape('stages.1.blocks.0.conv2')).toEqual([64, 28, 28]);
  });

  it('projects the pre-activated input, but the raw one in the bn-conv-relu form', () => {
    const read = (name: string, node: string) => {
      const graph = build(createModel({ name }));
      return graph.nodes.find((each) => each.name === `stages.1.blocks.0.${node}`)?.inputs[0]?.name;
    };
    expect(read('resnet26', 'downsample.conv')).toBe('stages.1.blocks.0.relu1');
    expect(read('resnet26-bn-conv-relu', 'shortcut.conv')).toBe('stages.0.blocks.1.add');
  });

  it('has dropout in training only, where the original has it', () => {
    const drops = (name: string, training: boolean) =>
      build(createModel({ name }), { layers: { training } })
        .nodes.filter(({ kind }) => kind === 'dropout')
        .map((node) => [node.name, (node.attributes as { p: number }).p]);
    expect(drops('alexnet', true)).toEqual([
      ['pools.0.dropout', 0.25],
      ['pools.1.dropout', 0.25],
      ['pools.2.dropout', 0.25],
      ['classifier.0.dropout', 0.5],
    ]);
    expect(drops('vgg13', true)).toHaveLength(7);
    expect(drops('zfnet', false)).toEqual([]);
  });
});

describe('size of the pictures', () => {
  const models = [...modelNames(), 'resnet26-bn-conv-relu', 'cifar-resnet20-bottleneck'];

  it.each(models.filter((name) => !/resnet(1[05]|200)/.test(name)))('is honest for %s', (name) => {
    const model = createModel({ name });
    build(model, { size: model.minimumSize });
    expect(() => build(model, { size: model.minimumSize - 1 })).toThrow(UserError);
    expect(() => checkPictureSize(model, model.minimumSize)).not.toThrow();
    expect(() => checkPictureSize(model, model.minimumSize - 1)).toThrow(`too small for ${model.name}`);
  });
});

describe('createModel', () => {
  const names = [
    ...modelNames(),
    'resnet-128x2-256x2',
    'resnet50-bn-conv-relu',
    'resnet-16x1-bn-conv-relu',
    'cifar-resnet8',
    'cifar-resnet20-bottleneck',
    'cifar-resnet164-basic',
  ];

  it.each(names)('makes %s again from its name and from its description', (name) => {
    const model = createModel({ name });
    expect(model.name).toBe(name);
    // as it comes back from a checkpoint
    const description = JSON.parse(JSON.stringify(model.description)) as typeof model.description;
    const again = createModel(description);
    expect(again.name).toBe(name);
    expect(again.description).toEqual(model.description);
  });

  it('takes stages and block beside a name that leaves them open', () => {
    const stages = [
      [128, 2],
      [256, 2],
      [512, 2],
      [1024, 2],
    ] as const;
    expect(createModel({ name: 'resnet', stages }).name).toBe('resnet26');
    expect(createModel({ name: 'resnet50', block: 'bn-conv-relu' }).name).toBe('resnet50-bn-conv-relu');
    expect(createModel({ name: 'cifar-resnet20', block: 'bottleneck' }).name).toBe(
      'cifar-resnet20-bottleneck',
    );
    expect(createModel({ name: 'resnet26', stages }).name).toBe('resnet26');
  });

  it.each([
    [20, 'basic'],
    [29, 'bottleneck'],
    [38, 'basic'],
    [56, 'basic'],
    [110, 'basic'],
    [164, 'bottleneck'],
    [1001, 'bottleneck'],
    [1202, 'basic'],
  ])('chooses the blocks of a CIFAR ResNet of depth %i: %s', (depth, block) => {
    expect(createModel({ name: `cifar-resnet${depth}` }).description.block).toBe(block);
  });

  it.each<[string, ModelSpec, string | RegExp, string]>([
    ['a slip', { name: 'resnet62' }, "no model 'resnet62'", "did you mean 'resnet2"],
    ['a slip in case', { name: 'AlexNet' }, "no model 'AlexNet'", "did you mean 'alexnet'?"],
    ['something else', { name: 'inception' }, "no model 'inception'", 'known models: resnet20, resnet26'],
    ['nothing', { name: '' }, "no model ''", 'known models'],
    ['no stages', { name: 'resnet' }, "lacks the option 'stages'", '--stages 128x2'],
    ['bad stages in a name', { name: 'resnet-126x2' }, '126 output channels', 'multiple of 4'],
    [
      'two stage lists',
      { name: 'resnet26', stages: [[64, 1]] },
      'has its own stages',
      'resnet with --stages',
    ],
    ['two blocks', { name: 'cifar-resnet20-basic', block: 'bottleneck' }, 'has its own block', 'leave out'],
    [
      "another family's block",
      { name: 'resnet26', block: 'basic' },
      'block cannot be "basic"',
      'pre-activation',
    ],
    ['options of none', { name: 'alexnet', stages: [[64, 1]] }, "no option 'stages'", 'no options'],
    ['a depth that fits nothing', { name: 'cifar-resnet21' }, 'depth 21', '20 or 26'],
    ['a depth for the other block', { name: 'cifar-resnet32-bottleneck' }, 'depth 32', '29 or 38'],
    ['no depth', { name: 'cifar-resnet0' }, 'depth cannot be 0', 'at least 8'],
    ['an endless depth', { name: 'cifar-resnet60002' }, 'depth cannot be 60002', '2000'],
    ['an unknown family', { family: 'resnest' }, "no model family 'resnest'", "did you mean 'resnet'?"],
    [
      'a slip in an option',
      { family: 'resnet', stagez: [[8, 1]] },
      "no option 'stagez'",
      "did you mean 'stages'?",
    ],
    [
      'an option too much',
      { family: 'resnet', stages: [[8, 1]], blok: 1 },
      "no option 'blok'",
      "did you mean 'block'",
    ],
  ])('refuses %s', (_, spec, message, hint) => {
    const error = caught(() => createModel(spec));
    expect(error.message).toMatch(message);
    expect(error.hint).toContain(hint);
  });
});

describe('initialization', () => {
  const initializers = (name: string, layers: Partial<LayersOptions> = {}) => {
    const graph = build(createModel({ name }), { layers });
    return new Map(graph.values('parameter').map((value) => [value.name, value.initializer]));
  };

  it('is Xavier normal for convolutions and small for the classes by default', () => {
    const rules = initializers('resnet26-bn-conv-relu');
    expect(rules.get('stem.conv.weight')).toEqual({ kind: 'normal', std: Math.sqrt(2 / (3 * 49 + 64 * 49)) });
    expect(rules.get('stem.conv.bias')).toEqual({ kind: 'constant', value: 0 });
    expect(rules.get('stem.norm.weight')).toEqual({ kind: 'constant', value: 1 });
    expect(rules.get('stem.norm.bias')).toEqual({ kind: 'constant', value: 0 });
    expect(rules.get('head.fc.weight')).toEqual({ kind: 'normal', std: 0.01 });
    expect(rules.get('head.fc.bias')).toEqual({ kind: 'constant', value: 0 });
  });

  it('is Xavier normal for the linear layers of AlexNet and ZFNet too, small in VGG', () => {
    const std = Math.sqrt(2 / (4096 + 256));
    expect(initializers('alexnet').get('classifier.2.fc.weight')).toEqual({ kind: 'normal', std });
    expect(initializers('zfnet').get('classifier.2.fc.weight')).toEqual({ kind: 'normal', std });
    expect(initializers('vgg13').get('classifier.2.fc.weight')).toEqual({ kind: 'normal', std: 0.01 });
    expect(initializers('vgg13').get('features.0.act.weight')).toEqual({ kind: 'constant', value: 0.25 });
  });

  it('is Kaiming where asked', () => {
    const rules = initializers('resnet26', { initialization: 'kaiming' });
    expect(rules.get('stem.conv.weight')).toEqual({ kind: 'normal', std: Math.sqrt(2 / (64 * 49)) });
  });
});

function caught(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
