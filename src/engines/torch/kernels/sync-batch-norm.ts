import { elements, type Value } from '../../../graph/graph.js';
import type { NodeOf } from '../../../graph/ops/index.js';
import { membersFor, remainderOf, shareMoments } from '../../batch-moments.js';
import type { Emitter } from '../emitter.js';
import { flag, float, ints, mask, none, type Slot, some, tensor } from '../step.js';
import { emitReluBackward } from './relu.js';

// Batch norm over the pictures of all replicas: each takes the statistics of its own, the sums of all give the common
// ones, and with these each normalises as if they were running statistics.

export function emitSyncBatchNorm(node: NodeOf<'batchNorm'>, emitter: Emitter): void {
  const { epsilon, relu, replicas = 1 } = node.attributes;
  const [x, scale, shift] = node.inputs;
  const [y, mean, variance, passed] = node.outputs;
  if (!x || !scale || !shift || !y || !mean || !variance)
    throw new Error(`'${node.name}' lacks inputs or outputs`);
  const communicator = membersFor(emitter.communicator, replicas);
  const full = emitter.castTo(emitter.slot(x), x.dtype, 'f32', { shape: x.shape });
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const [variances, means] = emitter.call(
    'var_mean',
    [tensor(full), some(ints(axes)), flag(false), flag(false)],
    { overload: 'dim', results: [variance, mean] },
  );
  if (!means || !variances) throw new Error('no results');
  const { tensors } = emitter;
  const share = (): void => {
    const [ofMean, ofVariance] = [new Float32Array(elements(mean)), new Float32Array(elements(mean))];
    tensors.download(means.handle, ofMean, mean.shape);
    tensors.download(variances.handle, ofVariance, mean.shape);
    shareMoments(communicator, ofMean, ofVariance);
    tensors.upload(means.handle, ofMean, mean.shape);
    tensors.upload(variances.handle, ofVariance, mean.shape);
  };
  emitter.direct({ reads: [means, variances], makes: [], run: share });
  const affine = [scale, shift].map((value) => some(tensor(emitter.slot(value))));
  const [result] = emitter.call(
    '_native_batch_norm_legit_no_training',
    [tensor(emitter.slot(x)), ...affine, tensor(means), tensor(variances), float(0), float(epsilon)],
    { results: [y, undefined, undefined] },
  );
  if (!result) throw new Error('no results');
  emitter.define(mean, means);
  emitter.define(variance, variances);
  emitter.define(y, relu ? emitter.callInPlace('relu_', result) : result);
  if (passed) emitter.define(passed, result);
}

/** The gradient as for given statistics, by LibTorch, and the rest of it, see {@link remainderOf}. */
export function emitSyncBatchNormBackward(node: NodeOf<'batchNormBackward'>, emitter: Emitter): void {
  const { epsilon, replicas = 1 } = node.attributes;
  const [dy, x, mean, variance, scale, passed] = node.inputs;
  const [dx, dscale, dshift] = node.outputs;
  if (!dy || !x || !mean || !variance || !scale || !dx || !dscale || !dshift)
    throw new Error(`'${node.name}' lacks inputs or outputs`);
  const communicator = membersFor(emitter.communicator, replicas);
  const gradient = passed
    ? emitReluBackward(emitter, emitter.slot(dy), emitter.slot(passed), dx)
    : emitter.slot(dy);
  const given = [mean, variance].map((value) => some(tensor(emitter.slot(value))));
  const [forX, forScale, forShift] = emitter.call(
    'native_batch_norm_backward',
    [
      ...[tensor(gradient), tensor(emitter.slot(x)), some(tensor(emitter.slot(scale)))],
      ...[...given, none, none, flag(false), float(epsilon), mask(true, true, true)],
    ],
    { results: [dx, dscale, dshift] },
  );
  if (!forX || !forScale || !forShift) throw new Error('no results');
  const row = [1, elements(mean), ...dx.shape.slice(2).map(() => 1)];
  const [factors, constants] = [emitter.scratch(row), emitter.scratch(row)];
  const count = (elements(dx) / elements(mean)) * replicas;
  const read = reader(emitter, elements(mean));
  const reads = [forScale, forShift, ...[mean, variance, scale].map((value) => emitter.slot(value))];
  const share = (): void => {
    const [scaleGradient, shiftGradient, means, variances, scales] = reads.map(read);
    if (!scaleGradient || !shiftGradient || !means || !variances || !scales) return;
    const into = { factors: new Float32Array(means.length), constants: new Float32Array(means.length) };
    const sums = { scaleGradient, shiftGradient, mean: means, variance: variances, scale: scales };
    remainderOf(communicator, { ...sums, epsilon, count }, into);
    emitter.tensors.upload(factors.handle, into.factors, row);
    emitter.tensors.upload(constants.handle, into.constants, row);
  };
  emitter.direct({ reads: [...reads, factors, constants], makes: [], run: share });
  emitter.define(dx, emitRest(emitter, { x, dx, forX, factors, constants }));
  emitter.define(dscale, forScale);
  emitter.define(dshift, forShift);
}

/** forX + x factors + constants, channel by channel. */
function emitRest(
  emitter: Emitter,
  of: { x: Value; dx: Value; forX: Slot; factors: Slot; constants: Slot },
): Slot {
  const { x, dx, forX, factors, constants } = of;
  const like = { shape: dx.shape };
  const full = emitter.castTo(emitter.slot(x), x.dtype, 'f32', like);
  const product = emitter.call1('mul', [tensor(full), tensor(factors)], like, 'Tensor');
  const slope = emitter.addScaled(product, constants, 1, like);
  const sum = emitter.addScaled(slope, emitter.castTo(forX, dx.dtype, 'f32', like), 1, like);
  return emitter.castTo(sum, 'f32', dx.dtype, dx);
}

function reader(emitter: Emitter, channels: number): (slot: Slot) => Float32Array {
  return ({ handle }) => {
    const values = new Float32Array(channels);
    emitter.tensors.download(handle, values, [channels]);
    return values;
  };
}
