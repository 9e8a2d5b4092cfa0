import { z } from 'zod';
import type { Value } from '../graph/graph.js';
import { readOptions } from '../read-options.js';
import type { Family } from './family.js';
import type { Layers } from './layers.js';
import type { Model } from './model.js';
import { bottleneckBlock, classify } from './pre-activation.js';
import {
  bottleneckExpansion,
  checkStages,
  formatStages,
  parseStages,
  type Stages,
  sameStages,
} from './stages.js';

/**
 * - `pre-activation`: BN-ReLU-convolution (He et al. 2016, "Identity Mappings in Deep Residual Networks",
 *   fig. 4e), in timm's ResNetV2 layout and tensor names: 7x7/2 stem without BN, max-pool, BN-ReLU at the end
 * - `bn-conv-relu`: the form of the DeepLearning_MiniProjects repository: BN-convolution-ReLU, biases everywhere,
 *   projections on the raw input, nothing between the last block and the pooling
 */
export type ResNetBlock = 'pre-activation' | 'bn-conv-relu';

export interface ResNetOptions {
  readonly stages: Stages;
  readonly block?: ResNetBlock | undefined;
}

/** Stage lists by the number of convolutions and linear layers on the longest way. */
const presets: Readonly<Record<string, Stages>> = {
  resnet20: parseStages('128x1,256x2,512x2,1024x1'),
  resnet26: parseStages('128x2,256x2,512x2,1024x2'),
  resnet29: parseStages('128x2,256x2,512x3,1024x2'),
  resnet38: parseStages('128x3,256x3,512x4,1024x2'),
  resnet50: parseStages('256x3,512x4,1024x6,2048x3'),
  resnet101: parseStages('256x3,512x4,1024x23,2048x3'),
  resnet152: parseStages('256x3,512x8,1024x36,2048x3'),
  resnet200: parseStages('256x3,512x24,1024x36,2048x3'),
};

const stemChannels = 64;
const originalSuffix = '-bn-conv-relu';

const schema = z.strictObject({
  stages: z
    .array(z.tuple([z.number(), z.number()]).readonly(), {
      error: 'say channels and blocks of each stage, for example --stages 128x2,256x2,512x2,1024x2',
    })
    .readonly(),
  block: z
    .enum(['pre-activation', 'bn-conv-relu'], { error: 'the blocks are pre-activation and bn-conv-relu' })
    .optional(),
});

/**
 * Bottleneck ResNets for pictures of some 224 px. Names: a preset (`resnet26`), a stage list
 * (`resnet-128x2-256x2`) or `resnet` with stages given apart, each with `-bn-conv-relu` for that block.
 */
export const resnet: Family = {
  family: 'resnet',
  names: Object.keys(presets),
  resolve(name) {
    const match = /^(resnet(?:\d+|(?:-\d+x\d+)+)?)(-bn-conv-relu)?$/.exec(name);
    if (!match) return undefined;
    const [, base = '', suffix] = match;
    const block = suffix ? { block: 'bn-conv-relu' } : {};
    if (base === 'resnet') return block;
    const stages = presets[base] ?? (base.includes('-') ? stagesOfName(base) : undefined);
    return stages && { stages, ...block };
  },
  create: (options) => createResNet(readOptions("model 'resnet'", schema, options)),
};

function stagesOfName(name: string): Stages {
  return parseStages(name.split('-').slice(1).join(','));
}

function createResNet({ stages, block = 'pre-activation' }: ResNetOptions): Model {
  checkStages(stages);
  const preset = Object.keys(presets).find((name) => sameStages(presets[name] ?? [], stages));
  const base = preset ?? `resnet-${formatStages(stages, '-')}`;
  return {
    name: block === 'bn-conv-relu' ? base + originalSuffix : base,
    description: { family: 'resnet', stages, block },
    // the stem, the pooling and every 3x3 are padded, so even one pixel passes
    minimumSize: 1,
    defaultSize: 224,
    build: block === 'bn-conv-relu' ? buildOriginal(stages) : buildPreActivation(stages),
  };
}

function buildPreActivation(stages: Stages): Model['build'] {
  return (layers, input, classes) => {
    const stem = layers.conv('stem.conv', input, { out: stemChannels, kernel: 7, stride: 2, padding: 3 });
    const pooled = layers.maxPool('stem.pool', stem, { kernel: 3, stride: 2, padding: 1 });
    const features = eachBlock(stages, pooled, (path, x, shape) => bottleneckBlock(layers, path, x, shape));
    return classify(layers, features, classes);
  };
}

function buildOriginal(stages: Stages): Model['build'] {
  return (layers, input, classes) => {
    const stem = unit(layers, 'stem', input, { out: stemChannels, kernel: 7, stride: 2, padding: 3 });
    const pooled = layers.maxPool('pool', stem, { kernel: 3, stride: 2, padding: 1 });
    const features = eachBlock(stages, pooled, (path, x, shape) => originalBlock(layers, path, x, shape));
    const vector = layers.flatten('head.flatten', layers.globalAvgPool('head.pool', features));
    return layers.linear('head.fc', vector, { out: classes });
  };
}

interface BlockShape {
  readonly out: number;
  readonly stride: number;
  /** Whether the shortcut is a 1x1 convolution: in the first block of each stage. */
  readonly project: boolean;
}

/** Stage strides 1, 2, 2, ..., each in the first block of its stage. */
function eachBlock(
  stages: Stages,
  x: Value,
  build: (path: string, x: Value, shape: BlockShape) => Value,
): Value {
  let features = x;
  stages.forEach(([out, blocks], stage) => {
    for (let block = 0; block < blocks; block++) {
      const project = block === 0;
      const stride = project && stage > 0 ? 2 : 1;
      features = build(`stages.${stage}.blocks.${block}`, features, { out, stride, project });
    }
  });
  return features;
}

function originalBlock(layers: Layers, path: string, x: Value, { out, stride, project }: BlockShape): Value {
  return layers.scope(path, 'ResNetBottleNeck', () => {
    const middle = out / bottleneckExpansion;
    const reduced = unit(layers, 'unit1', x, { out: middle });
    const spatial = unit(layers, 'unit2', reduced, { out: middle, kernel: 3, stride, padding: 1 });
    const branch = unit(layers, 'unit3', spatial, { out });
    const shortcut = project ? layers.conv('shortcut.conv', x, { out, kernel: 1, stride, bias: true }) : x;
    return layers.add('add', branch, shortcut);
  });
}

/** BN, convolution with bias, ReLU. Its type keeps the name that readers of that repository know. */
function unit(
  layers: Layers,
  path: string,
  x: Value,
  {
    out,
    kernel = 1,
    stride = 1,
    padding = 0,
  }: { out: number; kernel?: number; stride?: number; padding?: number },
): Value {
  return layers.scope(path, 'ConvWithPreActivation', () => {
    const convolved = layers.conv('conv', layers.batchNorm('norm', x), {
      out,
      kernel,
      stride,
      padding,
      bias: true,
    });
    return layers.relu('relu', convolved);
  });
}
