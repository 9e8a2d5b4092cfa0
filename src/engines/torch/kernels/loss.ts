import { required, type Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { flag, int, ints, none, type Slot, some, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const nllLoss: Kernel<'nllLoss'> = {
  emit(node, emitter) {
    const [logs, labels] = node.inputs;
    const loss = required(node.outputs, 0, node.name);
    if (!logs || !labels) throw new Error(`'${node.name}' lacks inputs`);
    emitter.define(
      loss,
      emitMeanLoss(emitter, emitter.slot(logs), target(emitter, labels, logs.shape, 0), logs, loss),
    );
  },
};

export const nllLossBackward: Kernel<'nllLossBackward'> = {
  emit(node, emitter) {
    const [, labels] = node.inputs;
    const dlogs = required(node.outputs, 0, node.name);
    if (!labels) throw new Error(`'${node.name}' lacks inputs`);
    const wanted = target(emitter, labels, dlogs.shape, 0);
    const scaled = emitter.call1('mul', [tensor(wanted), tensor(emitter.input(node, 0))], dlogs, 'Tensor');
    emitter.define(dlogs, emitter.callInPlace('neg_', scaled));
  },
};

export const softmaxCrossEntropy: Kernel<'softmaxCrossEntropy'> = {
  emit(node, emitter) {
    const [logits, labels] = node.inputs;
    const [loss, probabilities] = node.outputs;
    if (!logits || !labels || !loss || !probabilities)
      throw new Error(`'${node.name}' lacks inputs or outputs`);
    const typed = emitter.castTo(emitter.slot(logits), logits.dtype, probabilities.dtype, probabilities);
    const logs = emitter.call1('_log_softmax', [tensor(typed), int(1), flag(false)], probabilities);
    const wanted = target(emitter, labels, logits.shape, node.attributes.labelSmoothing);
    emitter.define(loss, emitMeanLoss(emitter, logs, wanted, probabilities, loss));
    emitter.define(probabilities, emitter.callInPlace('exp_', logs));
  },
};

export const softmaxCrossEntropyBackward: Kernel<'softmaxCrossEntropyBackward'> = {
  emit(node, emitter) {
    const [dloss, probabilities, labels] = node.inputs;
    const dlogits = required(node.outputs, 0, node.name);
    if (!dloss || !probabilities || !labels) throw new Error(`'${node.name}' lacks inputs`);
    const wanted = target(emitter, labels, dlogits.shape, node.attributes.labelSmoothing);
    const [rows = 0] = dlogits.shape;
    const shares = emitter.upload([rows, 1], 'f32', (inputs) => rowShares(labelsOf(inputs[labels.name])));
    const counted = emitter.call1(
      'mul',
      [tensor(emitter.slot(probabilities)), tensor(shares)],
      dlogits,
      'Tensor',
    );
    const difference = emitter.addScaled(counted, wanted, -1, dlogits);
    emitter.define(dlogits, emitter.callInPlace('mul_', difference, [tensor(emitter.slot(dloss))], 'Tensor'));
  },
};

/** -sum(target logs), which is the mean over the rows that count. */
function emitMeanLoss(emitter: Emitter, logs: Slot, wanted: Slot, like: Value, loss: Value): Slot {
  const products = emitter.call1('mul', [tensor(logs), tensor(wanted)], like, 'Tensor');
  const sum = emitter.call1(
    'sum',
    [tensor(products), some(ints([0, 1])), flag(false), none],
    loss,
    'dim_IntList',
  );
  return emitter.reshape(emitter.callInPlace('neg_', sum), loss.shape);
}

/**
 * What the probabilities should be, each row over the number of rows that count: made by the host, which has the
 * labels anyway. A row without a label is 0.
 */
function target(emitter: Emitter, labels: Value, shape: readonly number[], smoothing: number): Slot {
  if (labels.role !== 'input') throw new Error('labels come from the host');
  const [rows = 0, classes = 0] = shape;
  return emitter.upload(shape, 'f32', (inputs) => {
    const given = labelsOf(inputs[labels.name]);
    const shares = rowShares(given);
    const wanted = new Float32Array(rows * classes);
    given.forEach((label, row) => {
      const share = shares[row] ?? 0;
      if (share === 0) return;
      wanted.fill((share * smoothing) / classes, row * classes, (row + 1) * classes);
      const at = row * classes + label;
      wanted[at] = (wanted[at] ?? 0) + share * (1 - smoothing);
    });
    return wanted;
  });
}

function labelsOf(array: unknown): Int32Array {
  if (array instanceof Int32Array) return array;
  throw new Error('labels are 32-bit integers');
}

/** What each row weighs in the mean: nothing where the label is negative. */
function rowShares(labels: Int32Array): Float32Array {
  const counted = labels.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0);
  return Float32Array.from(labels, (label) => (label >= 0 ? 1 / counted : 0));
}
