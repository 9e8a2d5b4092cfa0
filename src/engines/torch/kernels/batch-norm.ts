import { elements, type Node, required, type Value } from '../../../graph/graph.js';
import { isNode } from '../../../graph/ops/index.js';
import type { Emitter } from '../emitter.js';
import { flag, float, mask, none, type Slot, some, tensor } from '../step.js';
import type { Kernel } from './kernel.js';
import { emitReluBackward } from './relu.js';
import { emitSyncBatchNorm, emitSyncBatchNormBackward } from './sync-batch-norm.js';

export const batchNorm: Kernel<'batchNorm'> = {
  emit(node, emitter) {
    if ((node.attributes.replicas ?? 1) > 1) {
      emitSyncBatchNorm(node, emitter);
      return;
    }
    const [x, scale, shift] = node.inputs;
    const [y, mean, variance, passed] = node.outputs;
    if (!x || !scale || !shift || !y || !mean || !variance)
      throw new Error(`'${node.name}' lacks inputs or outputs`);
    // running statistics of momentum 1 are the batch's own, the variance unbiased: what the update wants
    const statistics = batchStatistics(emitter, node);
    const [result, batchMean, inverseDeviation, note] = emitter.call(
      '_batch_norm_with_update',
      [
        tensor(emitter.slot(x)),
        some(tensor(emitter.slot(scale))),
        some(tensor(emitter.slot(shift))),
        ...statistics.map(tensor),
        float(1),
        float(node.attributes.epsilon),
      ],
      { results: [y, mean, variance, { shape: [] }] },
    );
    if (!result || !batchMean || !inverseDeviation || !note) throw new Error('no results');
    emitter.define(mean, batchMean);
    emitter.accompany(variance, inverseDeviation);
    emitter.accompany(mean, note);
    const onlyInside = emitter
      .readersOf(variance)
      .every((reader) => reader.kind === 'batchNormBackward' || takesUnbiased(reader, variance));
    emitter.define(
      variance,
      onlyInside && !emitter.isOutput(variance)
        ? inverseDeviation
        : emitVariance(emitter, inverseDeviation, node.attributes.epsilon, variance),
    );
    emitter.define(y, node.attributes.relu ? emitter.callInPlace('relu_', result) : result);
    // which elements passed is seen in the result, which the next layer keeps anyway
    if (passed) emitter.define(passed, result);
  },
};

export const batchNormBackward: Kernel<'batchNormBackward'> = {
  emit(node, emitter) {
    if ((node.attributes.replicas ?? 1) > 1) {
      emitSyncBatchNormBackward(node, emitter);
      return;
    }
    const [dy, x, mean, variance, scale, passed] = node.inputs;
    const [dx, dscale, dshift] = node.outputs;
    if (!dy || !x || !mean || !variance || !scale || !dx || !dscale || !dshift) {
      throw new Error(`'${node.name}' lacks inputs or outputs`);
    }
    const inverseDeviation = emitter.companion(variance);
    const note = emitter.companion(mean);
    if (!inverseDeviation || !note) throw new Error(`'${node.name}' has statistics of no batch norm`);
    const gradient = passed
      ? emitReluBackward(emitter, emitter.slot(dy), emitter.slot(passed), dx)
      : emitter.slot(dy);
    const [forX, forScale, forShift] = emitter.call(
      'batch_norm_backward',
      [
        tensor(gradient),
        tensor(emitter.slot(x)),
        tensor(emitter.slot(scale)),
        none,
        none,
        some(tensor(emitter.slot(mean))),
        some(tensor(inverseDeviation)),
        flag(true),
        float(node.attributes.epsilon),
        mask(true, true, true),
        tensor(note),
      ],
      { results: [dx, dscale, dshift] },
    );
    if (!forX || !forScale || !forShift) throw new Error('no results');
    emitter.define(dx, forX);
    emitter.define(dscale, forScale);
    emitter.define(dshift, forShift);
  },
};

export const batchNormInference: Kernel<'batchNormInference'> = {
  emit(node, emitter) {
    const [x, scale, shift, mean, variance] = node.inputs.map((value) => emitter.slot(value));
    const y = required(node.outputs, 0, node.name);
    if (!x || !scale || !shift || !mean || !variance) throw new Error(`'${node.name}' lacks inputs`);
    const affine = [scale, shift].map((slot) => some(tensor(slot)));
    const statistics = [mean, variance].map(tensor);
    const args = [tensor(x), ...affine, ...statistics, float(0), float(node.attributes.epsilon)];
    const results = { results: [y, undefined, undefined] };
    const [result] = emitter.call('_native_batch_norm_legit_no_training', args, results);
    if (!result) throw new Error('no results');
    emitter.define(y, node.attributes.relu ? emitter.callInPlace('relu_', result) : result);
  },
};

/** running += momentum (batch - running), for all layers in one call where the batch's statistics lie in one piece. */
export const updateStatistics: Kernel<'updateStatistics'> = {
  emit(node, emitter) {
    const { momentum, counts } = node.attributes;
    const weight = emitter.constant(momentum);
    const layers = layersOf(node.inputs);
    const statistics = emitter.graph.values('statistic');
    if (layers.every((layer) => madeHere(emitter, layer)) && layers.length * 2 === statistics.length) {
      const [running, batch] = [emitter.flatSlot('statistic'), emitter.flatSlot('batchStatistic')];
      emitter.callInPlace('lerp_', running, [tensor(batch), tensor(weight)], 'Tensor');
      return;
    }
    layers.forEach((layer, index) => {
      const running = [layer.runningMean, layer.runningVariance];
      const batch = madeHere(emitter, layer)
        ? running.map(({ name }) => emitter.stateSlot(name, 'batchStatistic'))
        : [emitter.slot(layer.mean), emitUnbiased(emitter, layer.variance, counts[index] ?? 1)];
      running.forEach((value, which) => {
        const from = required(batch, which, node.name);
        emitter.callInPlace('lerp_', emitter.slot(value), [tensor(from), tensor(weight)], 'Tensor');
      });
    });
  },
};

/** w' = w s / sqrt(v + e), b' = (b - m) s / sqrt(v + e) + t. */
export const foldBatchNorm: Kernel<'foldBatchNorm'> = {
  emit(node, emitter) {
    const { epsilon, bias: hasBias } = node.attributes;
    const [weight, ...rest] = node.inputs;
    const [scale, shift, mean, variance] = (hasBias ? rest.slice(1) : rest).map((value) =>
      emitter.slot(value),
    );
    const bias = hasBias ? rest[0] : undefined;
    const [weightOut, biasOut] = node.outputs;
    if (!weight || !scale || !shift || !mean || !variance || !weightOut || !biasOut) {
      throw new Error(`'${node.name}' lacks inputs or outputs`);
    }
    const shifted = emitter.addScaled(variance, emitter.constant(epsilon), 1, biasOut);
    const factor = emitter.callInPlace('rsqrt_', shifted);
    emitter.callInPlace('mul_', factor, [tensor(scale)], 'Tensor');
    const perFilter = emitter.reshape(
      factor,
      weightOut.shape.map((extent, axis) => (axis === 0 ? extent : 1)),
    );
    const folded = emitter.call1(
      'mul',
      [tensor(emitter.slot(weight)), tensor(perFilter)],
      weightOut,
      'Tensor',
    );
    emitter.define(weightOut, emitter.castTo(folded, 'f32', weightOut.dtype, weightOut));
    const from = bias ? emitter.slot(bias) : emitter.constant(0, biasOut.shape);
    const centred = emitter.addScaled(from, mean, -1, biasOut);
    emitter.callInPlace('mul_', centred, [tensor(factor)], 'Tensor');
    emitter.define(biasOut, emitter.addScaled(centred, shift, 1, biasOut));
  },
};

interface NormLayer {
  readonly runningMean: Value;
  readonly runningVariance: Value;
  readonly mean: Value;
  readonly variance: Value;
}

function layersOf(inputs: readonly Value[]): NormLayer[] {
  const layers: NormLayer[] = [];
  for (let index = 0; index + 3 < inputs.length; index += 4) {
    const [runningMean, runningVariance, mean, variance] = inputs.slice(index, index + 4);
    if (runningMean && runningVariance && mean && variance) {
      layers.push({ runningMean, runningVariance, mean, variance });
    }
  }
  return layers;
}

/** The layer of `updateStatistics` that takes this variance straight from its batch norm. */
function layerOf(reader: Node, variance: Value): NormLayer | undefined {
  if (!isNode(reader, 'updateStatistics')) return undefined;
  return layersOf(reader.inputs).find((layer) => layer.variance === variance);
}

/** Whether all that the reader wants of the variance is to move the running one, for which it lies ready. */
function takesUnbiased(reader: Node, variance: Value): boolean {
  return layerOf(reader, variance) !== undefined && isNode(reader, 'updateStatistics');
}

/** Where the batch's mean and unbiased variance go: beside the running ones that they will move, if any. */
function batchStatistics(emitter: Emitter, node: Node): [Slot, Slot] {
  const [, , variance] = node.outputs;
  const readers = variance ? emitter.readersOf(variance) : [];
  const layer = variance && readers.map((reader) => layerOf(reader, variance)).find((each) => each);
  if (layer?.runningMean.role === 'statistic' && layer.runningVariance.role === 'statistic') {
    const places = [layer.runningMean, layer.runningVariance] as const;
    const [mean, unbiased] = places.map(({ name }) => emitter.stateSlot(name, 'batchStatistic'));
    if (mean && unbiased) return [mean, unbiased];
  }
  const channels = variance ? elements(variance) : 0;
  return [emitter.scratch([channels]), emitter.scratch([channels])];
}

function madeHere(emitter: Emitter, { mean, variance, runningMean, runningVariance }: NormLayer): boolean {
  return (
    emitter.companion(variance) !== undefined &&
    emitter.companion(mean) !== undefined &&
    runningMean.role === 'statistic' &&
    runningVariance.role === 'statistic'
  );
}

/** n / (n - 1) variance. */
function emitUnbiased(emitter: Emitter, variance: Value, count: number): Slot {
  const factor = emitter.constant(count / Math.max(1, count - 1));
  return emitter.call1('mul', [tensor(emitter.slot(variance)), tensor(factor)], variance, 'Tensor');
}

/** 1 / deviation^2 - epsilon. */
function emitVariance(emitter: Emitter, inverseDeviation: Slot, epsilon: number, like: Value): Slot {
  const args = [tensor(inverseDeviation), tensor(inverseDeviation)];
  const square = emitter.callInPlace('reciprocal_', emitter.call1('mul', args, like, 'Tensor'));
  return emitter.addScaled(square, emitter.constant(epsilon), -1, like);
}
