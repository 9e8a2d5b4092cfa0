import { type DType, defineOperation, type Operation, required } from '../graph.js';

export interface CastAttributes {
  readonly dtype: DType;
}

/** The same numbers in another type, rounded to the nearest. Its gradient comes back in the type of the input. */
export const cast: Operation<'cast', CastAttributes> = defineOperation({
  kind: 'cast',
  infer: ({ dtype }: CastAttributes, inputs, where) => [{ shape: required(inputs, 0, where).shape, dtype }],
  gradient({ graph, name, inputs, outputGradients: [dy] }) {
    const [x] = inputs;
    if (!dy || !x) return [];
    // weight gradients of half precision come in fp32 already
    return [dy.dtype === x.dtype ? dy : graph.apply1(cast, { dtype: x.dtype }, [dy], `${name}.backward`)];
  },
});
