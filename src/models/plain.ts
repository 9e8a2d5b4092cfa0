import { z } from 'zod';
import type { Value } from '../graph/graph.js';
import { readOptions } from '../read-options.js';
import type { Family } from './family.js';
import type { Layers } from './layers.js';
import type { Model } from './model.js';

/** A convolution with its activation and BN, or a max-pooling with its dropout. */
type PlainLayer =
  | { readonly out: number; readonly kernel: number; readonly stride?: number; readonly padding?: number }
  | { readonly pool: number; readonly stride: number };

/** A network without shortcuts: convolutions, poolings, and three linear layers. */
export interface PlainNetwork {
  readonly name: string;
  readonly layers: readonly PlainLayer[];
  /** After each convolution; the slope of a PReLU is one number a layer. */
  readonly activation: 'relu' | 'prelu';
  /** Batch norm after the ReLU of each hidden linear layer. */
  readonly classifierNorm: boolean;
  /** Chance to drop after each hidden linear layer. */
  readonly classifierDropout: readonly [number, number];
  /** How the linear layers start: Xavier normal as the convolutions, or normal with a deviation of 0.01. */
  readonly linearInitialization: 'xavier' | 'small';
  readonly minimumSize: number;
  readonly defaultSize: number;
}

const hidden = 4096;
const poolDropout = 0.25;

/**
 * The family that has this network as its only member. Tensor names: `features.N.{conv,act,norm}` counting the
 * convolutions, `classifier.N.{fc,norm}`.
 */
export function plainFamily(network: PlainNetwork): Family {
  const { name, minimumSize, defaultSize } = network;
  return {
    family: name,
    names: [name],
    resolve: (asked) => (asked === name ? {} : undefined),
    create(options): Model {
      readOptions(`model '${name}'`, z.strictObject({}), options);
      return {
        name,
        description: { family: name },
        minimumSize,
        defaultSize,
        build: (layers, input, classes) =>
          classifier(network, layers, features(network, layers, input), classes),
      };
    },
  };
}

function features({ layers: list, activation }: PlainNetwork, layers: Layers, input: Value): Value {
  let x = input;
  let convolutions = 0;
  let pools = 0;
  for (const layer of list) {
    if ('pool' in layer) {
      const name = `pools.${pools++}`;
      x = layers.maxPool(name, x, { kernel: layer.pool, stride: layer.stride });
      x = layers.dropout(`${name}.dropout`, x, poolDropout);
    } else {
      const path = `features.${convolutions++}`;
      const convolved = layers.conv(`${path}.conv`, x, { ...layer, bias: true });
      const activated =
        activation === 'prelu'
          ? layers.prelu(`${path}.act`, convolved)
          : layers.relu(`${path}.act`, convolved);
      x = layers.batchNorm(`${path}.norm`, activated);
    }
  }
  return layers.flatten('flatten', x);
}

function classifier(network: PlainNetwork, layers: Layers, features: Value, classes: number): Value {
  let x = features;
  network.classifierDropout.forEach((p, index) => {
    const path = `classifier.${index}`;
    x = layers.relu(`${path}.act`, linear(network, layers, `${path}.fc`, x, hidden));
    if (network.classifierNorm) x = layers.batchNorm(`${path}.norm`, x);
    x = layers.dropout(`${path}.dropout`, x, p);
  });
  return linear(network, layers, `classifier.${network.classifierDropout.length}.fc`, x, classes);
}

function linear(network: PlainNetwork, layers: Layers, name: string, x: Value, out: number): Value {
  const inputs = x.shape[1] ?? 1;
  const xavier = network.linearInitialization === 'xavier';
  return layers.linear(name, x, xavier ? { out, std: Math.sqrt(2 / (inputs + out)) } : { out });
}
