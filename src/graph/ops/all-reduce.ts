import { defineOperation, type TensorType } from '../graph.js';

type None = Readonly<Record<string, never>>;

const gradientsOf = (_: None, inputs: readonly TensorType[]): TensorType[] =>
  inputs.filter((_value, index) => index % 2 === 1);

/**
 * Puts the sum over all replicas in the place of each gradient. A replica's gradients come weighted with its share of
 * the pictures, so that the sums are the gradients of the mean loss over all.
 * Inputs: parameter and gradient in turn. Outputs: the gradients.
 */
export const allReduceGradients = defineOperation({ kind: 'allReduceGradients', infer: gradientsOf });

/**
 * Begins to add up some gradients over all replicas, which goes on beside the nodes behind it; nobody may look at the
 * results before `finishAllReduce` has. Inputs and outputs as there.
 */
export const beginAllReduce = defineOperation({ kind: 'beginAllReduce', infer: gradientsOf });

/** Waits for all sums that were begun. Inputs: parameter and gradient in turn. Outputs: the gradients. */
export const finishAllReduce = defineOperation({ kind: 'finishAllReduce', infer: gradientsOf });
