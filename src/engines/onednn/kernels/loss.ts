import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

// A batch has a few thousand scores: double precision on the host costs well under a millisecond.

export const nllLoss: Kernel<'nllLoss'> = {
  emit(node, emitter) {
    const { name } = node;
    const loss = required(node.outputs, 0, name);
    const target = emitter.allocateFor(loss, emitter.descriptors.plain([1], 'f32'));
    const scores = emitter.plain(emitter.input(node, 0), name);
    const classes = scores.descriptor.shape[1] ?? 1;
    emitter.emitHost({
      name,
      reads: [scores, emitter.input(node, 1)],
      writes: [target],
      run(views) {
        const logProbabilities = views.floats(0);
        const labels = views.ints(1);
        let sum = 0;
        labels.forEach((label, row) => {
          if (label >= 0) sum -= logProbabilities[row * classes + label] ?? Number.NaN;
        });
        views.floats(2)[0] = sum / counted(labels);
      },
    });
    emitter.define(loss, target);
  },
};

export const nllLossBackward: Kernel<'nllLossBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const dx = required(node.outputs, 0, name);
    const target = emitter.allocateFor(dx, emitter.descriptors.plain(dx.shape, 'f32'));
    const classes = dx.shape[1] ?? 1;
    emitter.emitHost({
      name,
      reads: [emitter.input(node, 0), emitter.input(node, 1)],
      writes: [target],
      run(views) {
        const labels = views.ints(1);
        const gradient = views.floats(2).fill(0);
        const share = (views.floats(0)[0] ?? 0) / counted(labels);
        labels.forEach((label, row) => {
          if (label >= 0) gradient[row * classes + label] = -share;
        });
      },
    });
    emitter.define(dx, target);
  },
};

export const softmaxCrossEntropy: Kernel<'softmaxCrossEntropy'> = {
  emit(node, emitter) {
    const { name } = node;
    const [loss, probabilities] = node.outputs;
    if (!loss || !probabilities) throw new Error(`'${name}' lacks outputs`);
    const lossTensor = emitter.allocateFor(loss, emitter.descriptors.plain([1], 'f32'));
    const kept = emitter.allocateFor(probabilities, emitter.descriptors.plain(probabilities.shape, 'f32'));
    const classes = probabilities.shape[1] ?? 1;
    const { labelSmoothing } = node.attributes;
    emitter.emitHost({
      name,
      reads: [emitter.plain(emitter.input(node, 0), name), emitter.input(node, 1)],
      writes: [lossTensor, kept],
      run(views) {
        const labels = views.ints(1);
        let sum = 0;
        for (let row = 0; row < labels.length; row++) {
          const start = row * classes;
          const logits = views.floats(0).subarray(start, start + classes);
          sum += softmaxRow(
            logits,
            views.floats(3).subarray(start, start + classes),
            labels[row] ?? -1,
            labelSmoothing,
          );
        }
        views.floats(2)[0] = sum / counted(labels);
      },
    });
    emitter.define(loss, lossTensor);
    emitter.define(probabilities, kept);
  },
};

export const softmaxCrossEntropyBackward: Kernel<'softmaxCrossEntropyBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const dlogits = required(node.outputs, 0, name);
    const target = emitter.allocateFor(dlogits, emitter.descriptors.plain(dlogits.shape, 'f32'));
    const classes = dlogits.shape[1] ?? 1;
    const { labelSmoothing } = node.attributes;
    emitter.emitHost({
      name,
      reads: [emitter.input(node, 0), emitter.plain(emitter.input(node, 1), name), emitter.input(node, 2)],
      writes: [target],
      run(views) {
        const [probabilities, labels, gradient] = [views.floats(1), views.ints(2), views.floats(3)];
        const share = (views.floats(0)[0] ?? 0) / counted(labels);
        const spread = labelSmoothing / classes;
        for (let row = 0; row < labels.length; row++) {
          const label = labels[row] ?? -1;
          const start = row * classes;
          if (label < 0) {
            gradient.fill(0, start, start + classes);
            continue;
          }
          for (let index = start; index < start + classes; index++) {
            gradient[index] = share * ((probabilities[index] ?? 0) - spread);
          }
          gradient[start + label] = (gradient[start + label] ?? 0) - share * (1 - labelSmoothing);
        }
      },
    });
    emitter.define(dlogits, target);
  },
};

/** Writes the probabilities of one row and gives its loss; rows without a label have none. */
function softmaxRow(
  logits: Float32Array,
  probabilities: Float32Array,
  label: number,
  smoothing: number,
): number {
  let highest = Number.NEGATIVE_INFINITY;
  let mean = 0;
  for (const logit of logits) {
    // NaN must come through to the loss, so no Math.max
    if (!(logit <= highest)) highest = logit;
    mean += logit / logits.length;
  }
  let total = 0;
  for (let index = 0; index < logits.length; index++) {
    const exponential = Math.exp((logits[index] ?? 0) - highest);
    probabilities[index] = exponential;
    total += exponential;
  }
  for (let index = 0; index < logits.length; index++)
    probabilities[index] = (probabilities[index] ?? 0) / total;
  if (label < 0) return 0;
  const normaliser = Math.log(total) + highest;
  return normaliser - (1 - smoothing) * (logits[label] ?? Number.NaN) - smoothing * mean;
}

/** Rows that count in the mean; at least one, so that a batch without labels has loss 0. */
function counted(labels: Int32Array): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count += 1;
  return Math.max(1, count);
}
