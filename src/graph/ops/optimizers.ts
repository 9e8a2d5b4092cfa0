import { defineOperation } from '../graph.js';

export interface SgdAttributes {
  readonly nesterov: boolean;
}

/**
 * Stochastic gradient descent as PyTorch defines it (Sutskever et al. 2013, eq. 3-4, with the rate outside):
 * g += decay p; v = momentum v + g; p -= rate (nesterov ? g + momentum v : v).
 * Inputs: learning rate, momentum, weight decay (each one number), then parameter and gradient in turn. No outputs.
 */
export const sgd = defineOperation({
  kind: 'sgd',
  infer: (_: SgdAttributes) => [],
});

export interface AdamAttributes {
  readonly beta2: number;
  readonly epsilon: number;
  /** AdamW (Loshchilov & Hutter 2019): the decay shrinks the parameter and stays out of the moments. */
  readonly decoupled: boolean;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1). The two bias corrections come from the host, which counts the steps; a
 * schedule may move beta1.
 * Inputs: learning rate, beta1, 1 - beta1^t, 1 - beta2^t, weight decay (each one number), then parameter and
 * gradient in turn. No outputs.
 */
export const adam = defineOperation({
  kind: 'adam',
  infer: (_: AdamAttributes) => [],
});
