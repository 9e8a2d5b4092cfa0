import { defineOperation, required, shapeError, type TensorType } from '../graph.js';

/** torch.nn.utils.clip_grad_norm_ adds it to the norm. */
export const normEpsilon = 1e-6;

type NoAttributes = Readonly<Record<string, never>>;

/*
 * What is done to all gradients at once between the backward pass and the optimizer. Each takes one number and then
 * parameter and gradient in turn, and gives the new gradients in the same order; an engine works in place on the flat
 * buffer of gradients.
 */

/**
 * Adds the gradients of a micro-batch to those before it. Inputs: keep (1; 0 at the first micro-batch, whose gradients
 * replace whatever there was), then parameter and gradient in turn. Outputs: the sums.
 */
export const accumulateGradients = defineOperation({
  kind: 'accumulateGradients',
  infer: (_: NoAttributes, inputs, where) => gradientTypes(inputs, where),
});

/**
 * Divides by the scale of the loss (Micikevicius et al. 2018, section 3.2). Where a gradient is infinite or NaN the
 * run ends here: no node behind it runs, so that parameters and optimizer stay as they are.
 * Inputs: scale, then parameter and gradient in turn. Outputs: 1 where one was found, else 0; the gradients.
 */
export const unscaleGradients = defineOperation({
  kind: 'unscaleGradients',
  infer: (_: NoAttributes, inputs, where) => [{ shape: [1], dtype: 'f32' }, ...gradientTypes(inputs, where)],
});

/**
 * As torch.nn.utils.clip_grad_norm_ (Pascanu et al. 2013, algorithm 1): times min(1, limit / (norm + 1e-6)).
 * Inputs: limit, then parameter and gradient in turn. Outputs: the Euclidean norm over all before; the gradients.
 */
export const clipGradientNorm = defineOperation({
  kind: 'clipGradientNorm',
  infer: (_: NoAttributes, inputs, where) => [{ shape: [1], dtype: 'f32' }, ...gradientTypes(inputs, where)],
});

/**
 * As torch.nn.utils.clip_grad_value_: each number into [-limit, limit].
 * Inputs: limit, then parameter and gradient in turn. Outputs: the gradients.
 */
export const clipGradientValue = defineOperation({
  kind: 'clipGradientValue',
  infer: (_: NoAttributes, inputs, where) => gradientTypes(inputs, where),
});

function gradientTypes(inputs: readonly TensorType[], where: string): TensorType[] {
  required(inputs, 0, where);
  if (inputs.length % 2 === 0) {
    throw shapeError(where, 'has a parameter without a gradient', 'give them in turn');
  }
  return inputs
    .slice(1)
    .filter((_, index) => index % 2 === 1)
    .map(({ shape }) => ({ shape, dtype: 'f32' }));
}
