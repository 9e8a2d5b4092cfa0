import { defineOperation, elements, nc, required } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

/** Logarithm of the softmax over the classes: NxC to NxC. */
export const logSoftmax = defineOperation({
  kind: 'logSoftmax',
  infer(_: NoAttributes, inputs, where) {
    const x = required(inputs, 0, where);
    nc(x, where);
    return [{ shape: x.shape, dtype: 'f32' }];
  },
  gradient({ graph, name, outputs, outputGradients: [dy] }) {
    const [y] = outputs;
    return dy && y ? [graph.apply1(logSoftmaxBackward, {}, [dy, y], `${name}.backward`)] : [];
  },
  flops: (_, inputs) => 4 * elements(required(inputs, 0, 'logSoftmax')),
});

/** Inputs: dy, y. Output: dx. */
export const logSoftmaxBackward = defineOperation({
  kind: 'logSoftmaxBackward',
  infer(_: NoAttributes, inputs, where) {
    const dy = required(inputs, 0, where);
    return [{ shape: dy.shape, dtype: dy.dtype }];
  },
});
