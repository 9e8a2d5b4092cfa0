import { defineOperation, elements, required, shapeError, shapeText, type TensorType } from '../graph.js';

export interface BatchNormAttributes {
  readonly epsilon: number;
  /** Fused by fuse.ts: a ReLU on the result; adds the `opaque` note of which elements passed. */
  readonly relu?: boolean;
  /** Replicas over whose values, equally many at each, the statistics are taken together. Default 1. */
  readonly replicas?: number;
}

/**
 * Batch normalisation over a batch's own statistics (Ioffe & Szegedy 2015, algorithm 1).
 * Inputs: x, scale C, shift C. Outputs: y, mean C, biased variance C.
 */
export const batchNorm = defineOperation({
  kind: 'batchNorm',
  infer(attributes: BatchNormAttributes, inputs, where) {
    const x = channelled(inputs, where);
    const statistic: TensorType = { shape: [required(x.shape, 1, where)], dtype: 'f32' };
    const types: TensorType[] = [x, statistic, statistic];
    return attributes.relu ? [...types, { shape: x.shape, dtype: 'opaque' }] : types;
  },
  gradient({ graph, name, attributes, inputs, outputs, outputGradients }) {
    const [dy] = outputGradients;
    const [x, scale] = inputs;
    const [, mean, variance] = outputs;
    if (!dy || !x || !scale || !mean || !variance) return [];
    return graph.apply(batchNormBackward, attributes, [dy, x, mean, variance, scale], `${name}.backward`);
  },
  flops: (_, inputs) => 4 * elements(required(inputs, 0, 'batchNorm')),
});

/** Inputs: dy, x, mean, variance, scale, and the note of the fused ReLU. Outputs: dx, dscale, dshift. */
export const batchNormBackward = defineOperation({
  kind: 'batchNormBackward',
  infer(_: BatchNormAttributes, inputs, where) {
    const x = required(inputs, 1, where);
    const dscale: TensorType = { shape: required(inputs, 4, where).shape, dtype: 'f32' };
    return [{ shape: x.shape, dtype: x.dtype }, dscale, dscale];
  },
  flops: (_, inputs) => 8 * elements(required(inputs, 1, 'batchNormBackward')),
});

/** Normalises by running statistics. Inputs: x, scale, shift, running mean, running variance. Output: y. */
export const batchNormInference = defineOperation({
  kind: 'batchNormInference',
  infer: (_: BatchNormAttributes, inputs, where) => [channelled(inputs, where)],
  flops: (_, inputs) => 2 * elements(required(inputs, 0, 'batchNormInference')),
});

function channelled(inputs: readonly TensorType[], where: string): TensorType {
  const x = required(inputs, 0, where);
  const scale = required(inputs, 1, where);
  const channels = x.shape[1];
  if (x.shape.length !== 2 && x.shape.length !== 4) {
    throw shapeError(where, `takes NxC or NxCxHxW but got ${shapeText(x)}`, 'give it pictures or vectors');
  }
  if (elements(scale) !== channels) {
    throw shapeError(
      where,
      `input ${shapeText(x)} has ${channels} channels, the layer was made for ${shapeText(scale)}`,
      `make the layer for ${channels} channels`,
    );
  }
  return { shape: x.shape, dtype: x.dtype };
}

export interface UpdateStatisticsAttributes {
  /** Weight of the new batch, PyTorch's meaning: running = (1 - momentum) running + momentum batch. */
  readonly momentum: number;
  /** For each layer, the elements that each of its statistics was taken over (N H W). */
  readonly counts: readonly number[];
}

/**
 * Moves all running statistics at once. The running variance takes the unbiased batch variance, n / (n - 1).
 * Inputs, per layer: running mean, running variance, batch mean, batch variance. No outputs.
 */
export const updateStatistics = defineOperation({
  kind: 'updateStatistics',
  infer: (_: UpdateStatisticsAttributes) => [],
});

export interface FoldBatchNormAttributes {
  readonly epsilon: number;
  /** Whether the convolution has a bias of its own (the second input then). */
  readonly bias: boolean;
}

/**
 * Folds a batch norm by running statistics into the convolution before it.
 * Inputs: weight, bias?, scale, shift, running mean, running variance. Outputs: weight, bias.
 */
export const foldBatchNorm = defineOperation({
  kind: 'foldBatchNorm',
  infer(_: FoldBatchNormAttributes, inputs, where) {
    const weight = required(inputs, 0, where);
    return [
      { shape: weight.shape, dtype: weight.dtype },
      { shape: [required(weight.shape, 0, where)], dtype: 'f32' },
    ];
  },
});
