import { elements, required } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, normFlags, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';
import { emitSyncBatchNorm, emitSyncBatchNormBackward, isSynchronized } from './sync-batch-norm.js';

export const batchNorm: Kernel<'batchNorm'> = {
  emit(node, emitter) {
    if (isSynchronized(node)) return emitSyncBatchNorm(node, emitter);
    const { name } = node;
    const [x, scale, shift] = [emitter.input(node, 0), emitter.input(node, 1), emitter.input(node, 2)];
    const [y, mean, variance, passed] = node.outputs;
    if (!y || !mean || !variance) throw new Error(`'${name}' lacks outputs`);
    const descriptor = trainingForward(emitter, name, x, node.attributes);
    const destination = emitter.allocateFor(y, x.descriptor);
    const statistic = emitter.descriptors.plain(mean.shape, 'f32');
    const meanTensor = emitter.allocateFor(mean, statistic);
    const varianceTensor = emitter.allocateFor(variance, statistic);
    const writes: Array<readonly [number, Tensor]> = [
      [arg.destination, destination],
      [arg.mean, meanTensor],
      [arg.variance, varianceTensor],
    ];
    if (passed) {
      const workspace = emitter.descriptors.chosen(descriptor, 'workspace', [1], 'u8');
      const note = emitter.allocate(required([workspace], 0, name));
      writes.push([arg.workspace, note]);
      emitter.define(passed, note);
    }
    const reads = [
      [arg.source, x],
      [arg.scale, scale],
      [arg.shift, shift],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    emitter.define(y, destination);
    emitter.define(mean, meanTensor);
    emitter.define(variance, varianceTensor);
  },
};

export const batchNormBackward: Kernel<'batchNormBackward'> = {
  emit(node, emitter) {
    if (isSynchronized(node)) return emitSyncBatchNormBackward(node, emitter);
    const { name, attributes } = node;
    const [dx, dscale, dshift] = node.outputs;
    if (!dx || !dscale || !dshift) throw new Error(`'${name}' lacks outputs`);
    const x = emitter.input(node, 1);
    const given = emitter.input(node, 0);
    // oneDNN's backward pass takes all its tensors in one layout only
    const dy = emitter.convert(given, x.descriptor, name);
    const descriptor = emitter.primitive(
      name,
      'dnnl_batch_normalization_backward_primitive_desc_create',
      emitter.runtime.engine,
      prop.backward,
      x.descriptor.handle,
      x.descriptor.handle,
      x.descriptor.handle,
      attributes.epsilon,
      trainingFlags(attributes),
      trainingForward(emitter, name, x, attributes),
      emitter.attributes(),
    );
    const dxTensor = emitter.mayOverwrite(dy) ? dy : emitter.allocateFor(dx, x.descriptor);
    const statistic = emitter.descriptors.plain(dscale.shape, 'f32');
    const dscaleTensor = emitter.allocateFor(dscale, statistic);
    const dshiftTensor = emitter.allocateFor(dshift, statistic);
    const reads: Array<readonly [number, Tensor]> = [
      [arg.source, x],
      [arg.diffDestination, dy],
      [arg.mean, emitter.input(node, 2)],
      [arg.variance, emitter.input(node, 3)],
      [arg.scale, emitter.input(node, 4)],
    ];
    if (attributes.relu) reads.push([arg.workspace, emitter.input(node, 5)]);
    const writes = [
      [arg.diffSource, dxTensor],
      [arg.diffScale, dscaleTensor],
      [arg.diffShift, dshiftTensor],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    emitter.define(dx, dxTensor);
    emitter.define(dscale, dscaleTensor);
    emitter.define(dshift, dshiftTensor);
  },
};

export const batchNormInference: Kernel<'batchNormInference'> = {
  emit(node, emitter) {
    const { name, attributes } = node;
    const y = required(node.outputs, 0, name);
    const x = emitter.input(node, 0);
    const { globalStatistics, scale, shift, relu } = normFlags;
    const descriptor = emitter.primitive(
      name,
      'dnnl_batch_normalization_forward_primitive_desc_create',
      emitter.runtime.engine,
      prop.inference,
      x.descriptor.handle,
      x.descriptor.handle,
      attributes.epsilon,
      globalStatistics | scale | shift | (attributes.relu ? relu : 0),
      emitter.attributes(),
    );
    const destination = emitter.mayOverwrite(x) ? x : emitter.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.scale, emitter.input(node, 1)],
      [arg.shift, emitter.input(node, 2)],
      [arg.mean, emitter.input(node, 3)],
      [arg.variance, emitter.input(node, 4)],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

/** Gradients of all statistics lie in one stretch of memory, like the running ones: one primitive moves them all. */
export const updateStatistics: Kernel<'updateStatistics'> = {
  prepare(node, emitter) {
    const layers = layersOf(node.inputs);
    const line = 16;
    const padded = layers
      .flatMap(({ channels }) => [channels, channels])
      .map((n) => Math.ceil(n / line) * line);
    const total = padded.reduce((sum, n) => sum + n, 0);
    const all = emitter.allocate(emitter.descriptors.plain([1, total], 'f32'));
    let offset = 0;
    for (const { mean, variance, channels } of layers) {
      for (const value of [mean, variance]) {
        const descriptor = emitter.descriptors.plain([channels], 'f32');
        emitter.designate(value, { descriptor, place: all.place, offset: offset * 4 });
        offset += Math.ceil(channels / line) * line;
      }
    }
  },
  emit(node, emitter) {
    const { momentum, counts } = node.attributes;
    const layers = layersOf(node.inputs);
    const line = 16;
    const width = (channels: number): number => Math.ceil(channels / line) * line;
    const total = layers.reduce((sum, { channels }) => sum + 2 * width(channels), 0);
    const factors = new Float32Array(total);
    let at = 0;
    layers.forEach(({ channels }, index) => {
      const count = counts[index] ?? 2;
      factors.fill(momentum, at, at + channels);
      at += width(channels);
      factors.fill((momentum * count) / (count - 1), at, at + channels);
      at += width(channels);
    });
    const row = emitter.descriptors.plain([1, total], 'f32');
    const factor = emitter.reinterpret(emitter.constant(factors, `${node.name}.factors`), row);
    const [first] = layers;
    if (!first) return;
    const batch = emitter.reinterpret(emitter.tensor(first.mean), row);
    const running = emitter.reinterpret(emitter.tensor(first.runningMean), row);
    const descriptor = emitter.primitive(
      node.name,
      'dnnl_binary_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.multiply,
      row.handle,
      row.handle,
      row.handle,
      emitter.attributes((postOps) => {
        emitter.runtime.library.call('dnnl_post_ops_append_sum', postOps, 1 - momentum, 0, 0);
      }),
    );
    const reads = [
      [arg.source, batch],
      [arg.source1, factor],
    ] as const;
    emitter.emit(node.name, descriptor, reads, [[arg.destination, running]]);
  },
};

/** Runs once for each set of weights: w' = w s / sqrt(v + e), b' = (b - m) s / sqrt(v + e) + t. */
export const foldBatchNorm: Kernel<'foldBatchNorm'> = {
  emit(node, emitter) {
    const [weightOut, biasOut] = node.outputs;
    if (!weightOut || !biasOut) throw new Error(`'${node.name}' lacks outputs`);
    const reads = node.inputs.map((input) => emitter.plain(emitter.tensor(input), node.name));
    const weight = required(reads, 0, node.name);
    const foldedWeight = emitter.allocate(weight.descriptor);
    const foldedBias = emitter.allocate(emitter.descriptors.plain(biasOut.shape, 'f32'));
    const { epsilon, bias: hasBias } = node.attributes;
    const channels = elements(biasOut);
    const perChannel = elements(weightOut) / channels;
    emitter.emitHost({
      name: node.name,
      reads,
      writes: [foldedWeight, foldedBias],
      run(views) {
        const after = hasBias ? 2 : 1;
        const [scale, shift, mean, variance] = [0, 1, 2, 3].map((index) => views.floats(after + index));
        const [from, to, toBias] = [
          views.floats(0),
          views.floats(reads.length),
          views.floats(reads.length + 1),
        ];
        if (!scale || !shift || !mean || !variance) return;
        for (let channel = 0; channel < channels; channel++) {
          const factor = (scale[channel] ?? 0) / Math.sqrt((variance[channel] ?? 0) + epsilon);
          const bias = hasBias ? (views.floats(1)[channel] ?? 0) : 0;
          toBias[channel] = (bias - (mean[channel] ?? 0)) * factor + (shift[channel] ?? 0);
          const end = (channel + 1) * perChannel;
          for (let index = channel * perChannel; index < end; index++)
            to[index] = (from[index] ?? 0) * factor;
        }
      },
    });
    emitter.define(weightOut, foldedWeight);
    emitter.define(biasOut, foldedBias);
  },
};

function trainingFlags({ relu }: { readonly relu?: boolean }): number {
  return normFlags.scale | normFlags.shift | (relu ? normFlags.relu : 0);
}

function trainingForward(
  emitter: Emitter,
  name: string,
  x: Tensor,
  attributes: { readonly epsilon: number; readonly relu?: boolean },
): Handle {
  return emitter.primitive(
    name,
    'dnnl_batch_normalization_forward_primitive_desc_create',
    emitter.runtime.engine,
    prop.training,
    x.descriptor.handle,
    x.descriptor.handle,
    attributes.epsilon,
    trainingFlags(attributes),
    emitter.attributes(),
  );
}

interface NormLayer<V> {
  readonly runningMean: V;
  readonly mean: V;
  readonly variance: V;
  readonly channels: number;
}

function layersOf<V extends { readonly shape: readonly number[] }>(
  inputs: readonly V[],
): Array<NormLayer<V>> {
  const layers: Array<NormLayer<V>> = [];
  for (let index = 0; index + 3 < inputs.length; index += 4) {
    const [runningMean, , mean, variance] = inputs.slice(index, index + 4);
    if (runningMean && mean && variance)
      layers.push({ runningMean, mean, variance, channels: elements(runningMean) });
  }
  return layers;
}
