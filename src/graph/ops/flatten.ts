import { defineOperation, elements, required } from '../graph.js';

/** NxCxHxW to Nx(C H W), in NCHW order whatever the engine's layout. */
export const flatten = defineOperation({
  kind: 'flatten',
  infer(_: Readonly<Record<string, never>>, inputs, where) {
    const x = required(inputs, 0, where);
    const n = required(x.shape, 0, where);
    return [{ shape: [n, elements(x) / n], dtype: x.dtype }];
  },
  gradient({ graph, name, inputs, outputGradients: [dy] }) {
    const [x] = inputs;
    return dy && x ? [graph.apply1(flattenBackward, { shape: x.shape }, [dy], `${name}.backward`)] : [];
  },
});

/** Input: dy. Output: dx. */
export const flattenBackward = defineOperation({
  kind: 'flattenBackward',
  infer: ({ shape }: { readonly shape: readonly number[] }, inputs, where) => [
    { shape, dtype: required(inputs, 0, where).dtype },
  ],
});
