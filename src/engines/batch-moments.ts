import type { Communicator } from '../parallel/communicator.js';

/** Puts mean and variance over all replicas in the place of this one's; they have equally many values. */
export function shareMoments(communicator: Communicator, means: Float32Array, variances: Float32Array): void {
  const channels = means.length;
  const moments = new Float64Array(2 * channels);
  for (let channel = 0; channel < channels; channel++) {
    const mean = means[channel] as number;
    moments[channel] = mean;
    moments[channels + channel] = (variances[channel] as number) + mean * mean;
  }
  communicator.allReduce(moments);
  for (let channel = 0; channel < channels; channel++) {
    const mean = (moments[channel] as number) / communicator.size;
    const square = (moments[channels + channel] as number) / communicator.size;
    means[channel] = mean;
    variances[channel] = Math.max(0, square - mean * mean);
  }
}

/** What {@link remainderOf} is computed from, channel by channel. */
export interface NormSums {
  /** Gradients of scale and shift over this replica's pictures. */
  readonly scaleGradient: Float32Array;
  readonly shiftGradient: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly scale: Float32Array;
  readonly epsilon: number;
  /** Values a channel over all replicas. */
  readonly count: number;
}

/**
 * With x' = (x - m) / s, B = sum dy and D = sum dy x' over all N values of all replicas:
 * dx = scale / s (dy - B / N - x' D / N). The first term is the gradient for statistics that do not depend on x;
 * this writes the rest as a multiple of x and a constant for each channel.
 */
export function remainderOf(
  communicator: Communicator,
  sums: NormSums,
  into: { readonly factors: Float32Array; readonly constants: Float32Array },
): void {
  const { scaleGradient, shiftGradient, mean, variance, scale, epsilon, count } = sums;
  const channels = mean.length;
  const all = new Float64Array(2 * channels);
  all.set(scaleGradient);
  all.set(shiftGradient, channels);
  communicator.allReduce(all);
  for (let channel = 0; channel < channels; channel++) {
    const deviation = Math.sqrt((variance[channel] as number) + epsilon);
    const outer = (scale[channel] as number) / deviation / count;
    const factor = (-outer * (all[channel] as number)) / deviation;
    into.factors[channel] = factor;
    into.constants[channel] =
      -outer * (all[channels + channel] as number) - factor * (mean[channel] as number);
  }
}

/** @throws Error the program was compiled for another number of replicas */
export function membersFor(communicator: Communicator | undefined, replicas: number): Communicator {
  if (communicator?.size === replicas) return communicator;
  throw new Error(`a batch norm over ${replicas} replicas was compiled for ${communicator?.size ?? 1}`);
}
