import { defineOperation, elements, required, shapeError, shapeText } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

/** Adds one number a channel (axis 1). Inputs: x NxC or NxCxHxW, bias C. */
export const bias = defineOperation({
  kind: 'bias',
  infer(_: NoAttributes, inputs, where) {
    const x = required(inputs, 0, where);
    const offset = required(inputs, 1, where);
    if (elements(offset) !== x.shape[1]) {
      throw shapeError(
        where,
        `bias ${shapeText(offset)} does not fit input ${shapeText(x)}`,
        `make the bias ${x.shape[1]} long`,
      );
    }
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  gradient({ graph, name, outputGradients: [dy] }) {
    return dy ? [dy, graph.apply1(biasBackward, {}, [dy], `${name}.backward`)] : [];
  },
  flops: (_, inputs) => elements(required(inputs, 0, 'bias')),
});

/** Input: dy. Output: its sum over all axes but the channels. */
export const biasBackward = defineOperation({
  kind: 'biasBackward',
  infer: (_: NoAttributes, inputs, where) => [
    { shape: [required(required(inputs, 0, where).shape, 1, where)], dtype: 'f32' },
  ],
});
