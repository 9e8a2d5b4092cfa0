import { defineOperation, elements, nchw, required, shapeError, type TensorType } from '../graph.js';
import { type Pair, windowExtent } from './window.js';

export interface MaxPoolAttributes {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Whether a backward pass follows; without one no note of the winners is kept. */
  readonly training: boolean;
}

export interface AvgPoolAttributes {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Whether the zeros of the padding count in the mean. */
  readonly countIncludePad: boolean;
}

export interface Backward {
  /** Shape of the forward pass's input. */
  readonly shape: readonly number[];
}

/** Inputs: x. Outputs: y and, in training, the note of where each maximum stood. */
export const maxPool = defineOperation({
  kind: 'maxPool',
  infer(attributes: MaxPoolAttributes, inputs, where) {
    const y = pooled(attributes, inputs, where);
    return attributes.training ? [y, { shape: y.shape, dtype: 'opaque' }] : [y];
  },
  gradient({ graph, name, attributes, inputs, outputs, outputGradients }) {
    const [dy] = outputGradients;
    const [x] = inputs;
    const [, winners] = outputs;
    if (!dy || !x || !winners) return [];
    return [
      graph.apply1(maxPoolBackward, { ...attributes, shape: x.shape }, [dy, winners], `${name}.backward`),
    ];
  },
  flops: ({ kernel }, _, outputs) => kernel[0] * kernel[1] * elements(required(outputs, 0, 'maxPool')),
});

/** Inputs: dy, winners. Output: dx. */
export const maxPoolBackward = defineOperation({
  kind: 'maxPoolBackward',
  infer: (attributes: MaxPoolAttributes & Backward, inputs, where) => restored(attributes, inputs, where),
});

export const avgPool = defineOperation({
  kind: 'avgPool',
  infer: (attributes: AvgPoolAttributes, inputs, where) => [pooled(attributes, inputs, where)],
  gradient({ graph, name, attributes, inputs, outputGradients }) {
    const [dy] = outputGradients;
    const [x] = inputs;
    if (!dy || !x) return [];
    return [graph.apply1(avgPoolBackward, { ...attributes, shape: x.shape }, [dy], `${name}.backward`)];
  },
  flops: ({ kernel }, _, outputs) => kernel[0] * kernel[1] * elements(required(outputs, 0, 'avgPool')),
});

/** Input: dy. Output: dx. */
export const avgPoolBackward = defineOperation({
  kind: 'avgPoolBackward',
  infer: (attributes: AvgPoolAttributes & Backward, inputs, where) => restored(attributes, inputs, where),
});

/** Mean over each whole plane: NxCxHxW to NxCx1x1. */
export const globalAvgPool = defineOperation({
  kind: 'globalAvgPool',
  infer(_: Readonly<Record<string, never>>, inputs, where) {
    const x = required(inputs, 0, where);
    const [n, channels] = nchw(x, where);
    return [{ shape: [n, channels, 1, 1], dtype: x.dtype }];
  },
  gradient({ graph, name, inputs, outputGradients }) {
    const [dy] = outputGradients;
    const [x] = inputs;
    return dy && x ? [graph.apply1(globalAvgPoolBackward, { shape: x.shape }, [dy], `${name}.backward`)] : [];
  },
  flops: (_, inputs) => elements(required(inputs, 0, 'globalAvgPool')),
});

/** Input: dy. Output: dx. */
export const globalAvgPoolBackward = defineOperation({
  kind: 'globalAvgPoolBackward',
  infer: (attributes: Backward, inputs, where) => restored(attributes, inputs, where),
});

function pooled(
  { kernel, stride, padding }: MaxPoolAttributes | AvgPoolAttributes,
  inputs: readonly TensorType[],
  where: string,
): TensorType {
  const x = required(inputs, 0, where);
  const [n, channels, height, width] = nchw(x, where);
  if (padding[0] * 2 > kernel[0] || padding[1] * 2 > kernel[1]) {
    throw shapeError(
      where,
      `padding ${padding.join('x')} is more than half of kernel ${kernel.join('x')}`,
      'use less padding: a window would hold padding only',
    );
  }
  return {
    shape: [n, channels, ...windowExtent(where, [height, width], kernel, stride, padding)],
    dtype: x.dtype,
  };
}

function restored({ shape }: Backward, inputs: readonly TensorType[], where: string): TensorType[] {
  return [{ shape, dtype: required(inputs, 0, where).dtype }];
}
