/** Sums over pictures, from which losses and accuracies come; plain JSON. */
export interface Sums {
  /** Pictures that counted: those with a label. */
  readonly images: number;
  /** Sum of the pictures' losses. */
  readonly loss: number;
  /** Pictures whose class had the largest logit. */
  readonly top1: number;
  /** Pictures whose class was among the five largest. */
  readonly top5: number;
  /** Sum over the steps whose norm was taken of the gradient's norm, where it is clipped, and their number. */
  readonly norm?: number | undefined;
  readonly norms?: number | undefined;
}

export const noSums: Sums = { images: 0, loss: 0, top1: 0, top5: 0 };

/** Means of {@link Sums}: the loss, and accuracies in percent; NaN over no pictures. */
export interface Means {
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  /** Of the gradient before clipping, where it is clipped. */
  readonly gradientNorm?: number;
}

export function meansOf({ images, loss, top1, top5, norm, norms }: Sums): Means {
  return {
    ...{ loss: loss / images, top1: (100 * top1) / images, top5: (100 * top5) / images },
    ...(norm === undefined || norms === undefined ? {} : { gradientNorm: norm / norms }),
  };
}

/** Adds the gradient's norm of one step. */
export function addNorm(sums: Sums, norm: number): Sums {
  return { ...sums, norm: (sums.norm ?? 0) + norm, norms: (sums.norms ?? 0) + 1 };
}

/**
 * Adds a batch.
 * @param batch.logits [labels.length or more, classes]
 * @param batch.labels class ids; negative ones are left out
 * @param batch.loss mean over the labelled pictures; computed from the logits where it is not given
 */
export function addBatch(
  sums: Sums,
  batch: { logits: Float32Array; labels: Int32Array; classes: number; loss?: number },
): Sums {
  const { logits, labels, classes } = batch;
  let { images, loss, top1, top5 } = sums;
  let counted = 0;
  let entropy = 0;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    if (label < 0) continue;
    const start = row * classes;
    const rank = rankOf(logits, start, classes, label);
    if (rank < 1) top1++;
    if (rank < 5) top5++;
    if (batch.loss === undefined) entropy += crossEntropy(logits, start, classes, label);
    counted++;
  }
  images += counted;
  loss += batch.loss === undefined ? entropy : counted > 0 ? batch.loss * counted : 0;
  return { ...sums, images, loss, top1, top5 };
}

/** Number of classes before `label` in the order of the logits; of equal ones the first comes first. */
function rankOf(logits: Float32Array, start: number, classes: number, label: number): number {
  const own = logits[start + label] as number;
  // NaN is below everything: a network that broke is never right
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let rank = 0;
  for (let index = 0; index < classes; index++) {
    const other = logits[start + index] as number;
    if (other > own || (other === own && index < label)) rank++;
  }
  return rank;
}

/** -log softmax of one row at `label`, in double precision. */
export function crossEntropy(logits: Float32Array, start: number, classes: number, label: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < classes; index++) largest = Math.max(largest, logits[start + index] as number);
  let sum = 0;
  for (let index = 0; index < classes; index++) sum += Math.exp((logits[start + index] as number) - largest);
  return Math.log(sum) + largest - (logits[start + label] as number);
}

/** Class ids and probabilities of one row of logits, the most likely first. */
export function topClasses(logits: Float32Array, k: number): Array<{ id: number; probability: number }> {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers
    .map((power, id) => ({ id, probability: power / sum }))
    .sort((a, b) => b.probability - a.probability || a.id - b.id)
    .slice(0, k);
}
