import { defineOperation, elements, required, type TensorType } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

export const relu = defineOperation({
  kind: 'relu',
  infer: (_: NoAttributes, inputs, where) => [same(required(inputs, 0, where))],
  gradient({ graph, name, outputs, outputGradients }) {
    const [dy] = outputGradients;
    const [y] = outputs;
    // the result says as much as the input (y > 0 where x > 0), and it is kept anyway
    return dy && y ? [graph.apply1(reluBackward, {}, [dy, y], `${name}.backward`)] : [];
  },
  flops: (_, inputs) => elements(required(inputs, 0, 'relu')),
});

/** Inputs: dy, y. Output: dx. */
export const reluBackward = defineOperation({
  kind: 'reluBackward',
  infer: (_: NoAttributes, inputs, where) => [same(required(inputs, 0, where))],
  flops: (_, inputs) => elements(required(inputs, 0, 'reluBackward')),
});

function same(type: TensorType): TensorType {
  return { shape: type.shape, dtype: type.dtype };
}
