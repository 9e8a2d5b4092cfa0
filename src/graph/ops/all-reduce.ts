import { defineOperation } from '../graph.js';

/**
 * Puts the sum over all replicas in the place of each gradient. A replica's gradients come weighted with its share of
 * the pictures, so that the sums are the gradients of the mean loss over all.
 * Inputs: parameter and gradient in turn. Outputs: the gradients.
 */
export const allReduceGradients = defineOperation({
  kind: 'allReduceGradients',
  infer: (_: Readonly<Record<string, never>>, inputs) => inputs.filter((_value, index) => index % 2 === 1),
});
