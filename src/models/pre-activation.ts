import type { Value } from '../graph/graph.js';
import type { Layers } from './layers.js';
import { bottleneckExpansion } from './stages.js';

export interface PreActivationShape {
  /** Output channels. */
  readonly out: number;
  readonly stride: number;
  /** Whether the shortcut is a 1x1 convolution; it reads the pre-activated input, as in timm. */
  readonly project: boolean;
}

/** 1x1, 3x3 with the stride, 1x1, each after BN-ReLU, with a quarter of the channels inside. */
export function bottleneckBlock(layers: Layers, path: string, x: Value, shape: PreActivationShape): Value {
  const { out, stride } = shape;
  const middle = out / bottleneckExpansion;
  return layers.scope(path, 'ResNetBottleNeck', () => {
    const first = preActivate(layers, 1, x);
    const identity = shortcut(layers, x, first, shape);
    const reduced = layers.conv('conv1', first, { out: middle, kernel: 1 });
    const activated = preActivate(layers, 2, reduced);
    const spatial = layers.conv('conv2', activated, { out: middle, kernel: 3, stride, padding: 1 });
    const branch = layers.conv('conv3', preActivate(layers, 3, spatial), { out, kernel: 1 });
    return layers.add('add', branch, identity);
  });
}

/** Two 3x3 convolutions, each after BN-ReLU, the stride in the first. */
export function basicBlock(layers: Layers, path: string, x: Value, shape: PreActivationShape): Value {
  const { out, stride } = shape;
  return layers.scope(path, 'ResNetBasicBlock', () => {
    const first = preActivate(layers, 1, x);
    const identity = shortcut(layers, x, first, shape);
    const spatial = layers.conv('conv1', first, { out, kernel: 3, stride, padding: 1 });
    const branch = layers.conv('conv2', preActivate(layers, 2, spatial), { out, kernel: 3, padding: 1 });
    return layers.add('add', branch, identity);
  });
}

/** The end of a pre-activation network: BN-ReLU, mean over the plane, and the classes. */
export function classify(layers: Layers, x: Value, classes: number): Value {
  const activated = layers.relu('relu', layers.batchNorm('norm', x));
  const vector = layers.flatten('head.flatten', layers.globalAvgPool('head.pool', activated));
  return layers.linear('head.fc', vector, { out: classes, asConv: true });
}

function preActivate(layers: Layers, number: number, x: Value): Value {
  return layers.relu(`relu${number}`, layers.batchNorm(`norm${number}`, x));
}

function shortcut(
  layers: Layers,
  x: Value,
  activated: Value,
  { out, stride, project }: PreActivationShape,
): Value {
  return project ? layers.conv('downsample.conv', activated, { out, kernel: 1, stride }) : x;
}
