import type { HalfType } from '../../graph/autocast.js';
import type { Precision } from '../../train/precision/precision.js';

export const halfTypes: Readonly<Record<'bf16' | 'fp16', HalfType>> = { bf16: 'bf16', fp16: 'f16' };

/**
 * The largest relative error of one rounding: 2^-8 with bf16's eight digits, 2^-11 with fp16's eleven; of float32 sums
 * of a few hundred products.
 */
export const roundings: Readonly<Record<Precision, number>> = { fp32: 1e-5, bf16: 2 ** -8, fp16: 2 ** -11 };

/** In half two inputs, the gradient from above and each result are rounded once, of the size of their largest. */
export const operationTolerances: Readonly<Record<Precision, number>> = {
  fp32: roundings.fp32,
  bf16: 4 * roundings.bf16,
  fp16: 4 * roundings.fp16,
};
