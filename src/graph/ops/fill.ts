import { defineOperation } from '../graph.js';

export interface FillAttributes {
  readonly shape: readonly number[];
  readonly value: number;
}

/** A tensor full of one number, e.g. the gradient of the loss with respect to itself. */
export const fill = defineOperation({
  kind: 'fill',
  infer: ({ shape }: FillAttributes) => [{ shape, dtype: 'f32' }],
});
