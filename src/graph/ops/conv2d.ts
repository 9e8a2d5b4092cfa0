import {
  defineOperation,
  elements,
  nchw,
  required,
  sameType,
  shapeError,
  shapeText,
  type TensorType,
} from '../graph.js';
import { type Pair, windowExtent } from './window.js';

export interface Conv2dAttributes {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  /** Fused by fuse.ts: a ReLU on the result. */
  readonly relu?: boolean;
  /** Fused by fuse.ts: the last input is added to the result. */
  readonly residual?: boolean;
}

export interface Conv2dBackwardInputAttributes extends Conv2dAttributes {
  /** Shape of the picture that the forward convolution read. */
  readonly shape: readonly number[];
}

export interface Conv2dBackwardWeightAttributes extends Conv2dAttributes {
  readonly weight: readonly number[];
  readonly bias: boolean;
}

/** Inputs: x NxCxHxW, weight OxC/groupsxKHxKW, and bias O where there is one; then the fused addend. */
export const conv2d = defineOperation({
  kind: 'conv2d',
  infer(attributes: Conv2dAttributes, inputs, where) {
    const x = required(inputs, 0, where);
    const weight = required(inputs, 1, where);
    const [n, channels, height, width] = nchw(x, where);
    const [out, perGroup, kernelHeight, kernelWidth] = nchw(weight, where);
    if (perGroup * attributes.groups !== channels || out % attributes.groups !== 0) {
      throw shapeError(
        where,
        `input ${shapeText(x)} has ${channels} channels, its weight ${shapeText(weight)} with ${attributes.groups} group(s) takes ${perGroup * attributes.groups}`,
        `give the layer ${channels} input channels, both counts divisible by the groups`,
      );
    }
    sameType(x, weight, where);
    const bias = inputs[2];
    if (bias && !attributes.residual && elements(bias) !== out) {
      throw shapeError(
        where,
        `bias ${shapeText(bias)} does not fit ${out} output channels`,
        `make the bias ${out} long`,
      );
    }
    const { stride, padding, dilation } = attributes;
    const extent = windowExtent(
      where,
      [height, width],
      [kernelHeight, kernelWidth],
      stride,
      padding,
      dilation,
    );
    return [{ shape: [n, out, ...extent], dtype: x.dtype }];
  },
  gradient({ graph, name, attributes, inputs, outputGradients, needs }) {
    const [dy] = outputGradients;
    const [x, weight, bias] = inputs;
    if (!dy || !x || !weight) return [];
    const dx = needs(0)
      ? graph.apply1(
          conv2dBackwardInput,
          { ...attributes, shape: x.shape },
          [dy, weight],
          `${name}.backwardInput`,
        )
      : undefined;
    const weightAttributes = { ...attributes, weight: weight.shape, bias: bias !== undefined };
    const [dweight, dbias] = graph.apply(
      conv2dBackwardWeight,
      weightAttributes,
      [dy, x],
      `${name}.backwardWeight`,
    );
    return [dx, dweight, dbias];
  },
  flops: (_, inputs, outputs) => macs(inputs[1], outputs[0]),
});

/** Inputs: dy, weight. Output: dx. */
export const conv2dBackwardInput = defineOperation({
  kind: 'conv2dBackwardInput',
  infer: (attributes: Conv2dBackwardInputAttributes, inputs, where) => [
    { shape: attributes.shape, dtype: required(inputs, 0, where).dtype },
  ],
  flops: (_, inputs) => macs(inputs[1], inputs[0]),
});

/** Inputs: dy, x. Outputs: dweight and, where there is a bias, dbias; both f32. */
export const conv2dBackwardWeight = defineOperation({
  kind: 'conv2dBackwardWeight',
  infer(attributes: Conv2dBackwardWeightAttributes) {
    const weight: TensorType = { shape: attributes.weight, dtype: 'f32' };
    const bias: TensorType = { shape: [required(attributes.weight, 0, 'dbias')], dtype: 'f32' };
    return attributes.bias ? [weight, bias] : [weight];
  },
  flops: (_, inputs, outputs) => macs(outputs[0], inputs[0]),
});

function macs(weight: TensorType | undefined, y: TensorType | undefined): number {
  if (!weight || !y) return 0;
  return (2 * elements(y) * elements(weight)) / (weight.shape[0] ?? 1);
}
