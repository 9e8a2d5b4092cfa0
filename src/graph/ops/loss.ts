import { defineOperation, elements, nc, required, shapeError, shapeText, type TensorType } from '../graph.js';

type NoAttributes = Readonly<Record<string, never>>;

export interface CrossEntropyAttributes {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7). */
  readonly labelSmoothing: number;
}

/**
 * Mean negative log-likelihood. Inputs: log-probabilities NxC, labels N (i32; negative: left out of the mean).
 * Output: the loss, one number.
 */
export const nllLoss = defineOperation({
  kind: 'nllLoss',
  infer(_: NoAttributes, inputs, where) {
    labelled(inputs, where);
    return [{ shape: [1], dtype: 'f32' }];
  },
  gradient({ graph, name, inputs, outputGradients: [dloss] }) {
    const [logProbabilities, labels] = inputs;
    if (!dloss || !logProbabilities || !labels) return [];
    const attributes = { shape: logProbabilities.shape };
    return [graph.apply1(nllLossBackward, attributes, [dloss, labels], `${name}.backward`)];
  },
});

/** Inputs: dloss, labels. Output: gradient of the log-probabilities. */
export const nllLossBackward = defineOperation({
  kind: 'nllLossBackward',
  infer: ({ shape }: { readonly shape: readonly number[] }) => [{ shape, dtype: 'f32' }],
});

/** Log-softmax and {@link nllLoss} in one. Inputs: logits NxC, labels N. Outputs: the loss, the probabilities. */
export const softmaxCrossEntropy = defineOperation({
  kind: 'softmaxCrossEntropy',
  infer(_: CrossEntropyAttributes, inputs, where) {
    const logits = labelled(inputs, where);
    return [
      { shape: [1], dtype: 'f32' },
      { shape: logits.shape, dtype: 'f32' },
    ];
  },
  gradient({ graph, name, attributes, inputs, outputs, outputGradients: [dloss] }) {
    const [, labels] = inputs;
    const [, probabilities] = outputs;
    if (!dloss || !labels || !probabilities) return [];
    const backwardInputs = [dloss, probabilities, labels];
    return [graph.apply1(softmaxCrossEntropyBackward, attributes, backwardInputs, `${name}.backward`)];
  },
  flops: (_, inputs) => 4 * elements(required(inputs, 0, 'softmaxCrossEntropy')),
});

/** Inputs: dloss, probabilities, labels. Output: gradient of the logits. */
export const softmaxCrossEntropyBackward = defineOperation({
  kind: 'softmaxCrossEntropyBackward',
  infer(_: CrossEntropyAttributes, inputs, where) {
    const probabilities = required(inputs, 1, where);
    return [{ shape: probabilities.shape, dtype: 'f32' }];
  },
});

function labelled(inputs: readonly TensorType[], where: string): TensorType {
  const scores = required(inputs, 0, where);
  const labels = required(inputs, 1, where);
  const [n] = nc(scores, where);
  if (labels.dtype !== 'i32' || labels.shape.length !== 1 || labels.shape[0] !== n) {
    throw shapeError(
      where,
      `labels ${shapeText(labels)} (${labels.dtype}) do not fit scores ${shapeText(scores)}`,
      `give one i32 label to each of the ${n} rows`,
    );
  }
  if (scores.dtype !== 'f32') {
    throw shapeError(where, `scores come in ${scores.dtype}`, 'cast them: a loss is computed in f32');
  }
  return scores;
}
