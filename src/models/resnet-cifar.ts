import { z } from 'zod';
import { UserError } from '../errors.js';
import { readOptions } from '../read-options.js';
import type { Family } from './family.js';
import type { Model } from './model.js';
import { basicBlock, bottleneckBlock, classify } from './pre-activation.js';
import { bottleneckExpansion } from './stages.js';

export type CifarBlock = 'basic' | 'bottleneck';

export interface CifarResNetOptions {
  /** Convolutions and linear layers on the longest way: 6n+2 with basic blocks, 9n+2 with bottlenecks. */
  readonly depth: number;
  readonly block?: CifarBlock | undefined;
}

const stemChannels = 16;
const widths = [16, 32, 64];
/** Layers that one block in each of the three stages adds. */
const layersPerBlock: Readonly<Record<CifarBlock, number>> = { basic: 6, bottleneck: 9 };
const mostBasic = 110;
const deepest = 2000;

const schema = z.strictObject({
  depth: z
    .int({ error: 'say the depth, for example 20 or 164' })
    .min(1, { error: 'the depth is at least 8' })
    .max(deepest, { error: `the depth is at most ${deepest}` }),
  block: z.enum(['basic', 'bottleneck'], { error: 'the blocks are basic and bottleneck' }).optional(),
});

/**
 * The CIFAR form of He et al. 2016 ("Identity Mappings in Deep Residual Networks"): a 3x3 stem of 16 channels and
 * three stages of 16, 32 and 64 (times 4 with bottlenecks), pre-activated throughout; for pictures of 32 px.
 *
 * Names: `cifar-resnet<depth>`, e.g. `cifar-resnet20`. The blocks follow the paper: basic for a depth of 6n+2 up to
 * 110, bottlenecks for 9n+2 beyond that (164, 1001) and wherever 6n+2 does not fit (29); else basic (1202).
 * `cifar-resnet<depth>-basic` or `-bottleneck` says it.
 */
export const cifarResNet: Family = {
  family: 'resnet-cifar',
  names: [20, 29, 38, 56, 110, 164, 1001].map((depth) => `cifar-resnet${depth}`),
  resolve(name) {
    const match = /^cifar-resnet(\d+)(?:-(basic|bottleneck))?$/.exec(name);
    if (!match) return undefined;
    const [, depth, block] = match;
    return { depth: Number(depth), ...(block ? { block } : {}) };
  },
  create(options) {
    const { depth, block = usualBlock(depth) } = readOptions("model 'resnet-cifar'", schema, options);
    return createCifarResNet(depth, block);
  },
};

function usualBlock(depth: number): CifarBlock {
  if (fits(depth, 'basic') && depth <= mostBasic) return 'basic';
  return fits(depth, 'bottleneck') ? 'bottleneck' : 'basic';
}

function fits(depth: number, block: CifarBlock): boolean {
  return depth > 2 && (depth - 2) % layersPerBlock[block] === 0;
}

function createCifarResNet(depth: number, block: CifarBlock): Model {
  if (!fits(depth, block)) throw depthError(depth, block);
  const blocks = (depth - 2) / layersPerBlock[block];
  const bottleneck = block === 'bottleneck';
  return {
    name: `cifar-resnet${depth}${block === usualBlock(depth) ? '' : `-${block}`}`,
    description: { family: 'resnet-cifar', depth, block },
    minimumSize: 1,
    defaultSize: 32,
    build(layers, input, classes) {
      let features = layers.conv('stem.conv', input, { out: stemChannels, kernel: 3, padding: 1 });
      let channels = stemChannels;
      widths.forEach((width, stage) => {
        const out = bottleneck ? width * bottleneckExpansion : width;
        for (let index = 0; index < blocks; index++) {
          const stride = stage > 0 && index === 0 ? 2 : 1;
          const shape = { out, stride, project: index === 0 && (stride > 1 || channels !== out) };
          const path = `stages.${stage}.blocks.${index}`;
          features = (bottleneck ? bottleneckBlock : basicBlock)(layers, path, features, shape);
          channels = out;
        }
      });
      return classify(layers, features, classes);
    },
  };
}

function depthError(depth: number, block: CifarBlock): UserError {
  const step = layersPerBlock[block];
  const below = Math.max(1, Math.floor((depth - 2) / step)) * step + 2;
  return new UserError(`a CIFAR ResNet of depth ${depth} cannot be made of ${block} blocks`, {
    hint: `use ${step}n+2 layers, for example ${below} or ${below + step}${
      block === 'basic' ? '; with bottlenecks 9n+2' : ''
    }`,
  });
}
