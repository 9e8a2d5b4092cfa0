import { elements, required } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import { algorithm, arg, type Handle, normFlags, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const batchNorm: Kernel<'batchNorm'> = {
  emit(node, compiler) {
    const { name } = node;
    const [x, scale, shift] = [compiler.input(node, 0), compiler.input(node, 1), compiler.input(node, 2)];
    const [y, mean, variance, passed] = node.outputs;
    if (!y || !mean || !variance) throw new Error(`'${name}' lacks outputs`);
    const descriptor = trainingForward(compiler, name, x, node.attributes);
    const destination = compiler.allocateFor(y, x.descriptor);
    const statistic = compiler.descriptors.plain(mean.shape, 'f32');
    const meanTensor = compiler.allocateFor(mean, statistic);
    const varianceTensor = compiler.allocateFor(variance, statistic);
    const writes: Array<readonly [number, Tensor]> = [
      [arg.destination, destination],
      [arg.mean, meanTensor],
      [arg.variance, varianceTensor],
    ];
    if (passed) {
      const workspace = compiler.descriptors.chosen(descriptor, 'workspace', [1], 'u8');
      const note = compiler.allocate(required([workspace], 0, name));
      writes.push([arg.workspace, note]);
      compiler.define(passed, note);
    }
    const reads = [
      [arg.source, x],
      [arg.scale, scale],
      [arg.shift, shift],
    ] as const;
    compiler.emit(name, descriptor, reads, writes);
    compiler.define(y, destination);
    compiler.define(mean, meanTensor);
    compiler.define(variance, varianceTensor);
  },
};

export const batchNormBackward: Kernel<'batchNormBackward'> = {
  emit(node, compiler) {
    const { name, attributes } = node;
    const [dx, dscale, dshift] = node.outputs;
    if (!dx || !dscale || !dshift) throw new Error(`'${name}' lacks outputs`);
    const x = compiler.input(node, 1);
    const given = compiler.input(node, 0);
    // oneDNN's backward pass takes all its tensors in one layout only
    const dy = compiler.convert(given, x.descriptor, name);
    const descriptor = compiler.primitive(
      name,
      'dnnl_batch_normalization_backward_primitive_desc_create',
      compiler.runtime.engine,
      prop.backward,
      x.descriptor.handle,
      x.descriptor.handle,
      x.descriptor.handle,
      attributes.epsilon,
      trainingFlags(attributes),
      trainingForward(compiler, name, x, attributes),
      compiler.attributes(),
    );
    const dxTensor = compiler.mayOverwrite(dy) ? dy : compiler.allocateFor(dx, x.descriptor);
    const statistic = compiler.descriptors.plain(dscale.shape, 'f32');
    const dscaleTensor = compiler.allocateFor(dscale, statistic);
    const dshiftTensor = compiler.allocateFor(dshift, statistic);
    const reads: Array<readonly [number, Tensor]> = [
      [arg.source, x],
      [arg.diffDestination, dy],
      [arg.mean, compiler.input(node, 2)],
      [arg.variance, compiler.input(node, 3)],
      [arg.scale, compiler.input(node, 4)],
    ];
    if (attributes.relu) reads.push([arg.workspace, compiler.input(node, 5)]);
    const writes = [
      [arg.diffSource, dxTensor],
      [arg.diffScale, dscaleTensor],
      [arg.diffShift, dshiftTensor],
    ] as const;
    compiler.emit(name, descriptor, reads, writes);
    compiler.define(dx, dxTensor);
    compiler.define(dscale, dscaleTensor);
    compiler.define(dshift, dshiftTensor);
  },
};

export const batchNormInference: Kernel<'batchNormInference'> = {
  emit(node, compiler) {
    const { name, attributes } = node;
    const y = required(node.outputs, 0, name);
    const x = compiler.input(node, 0);
    const { globalStatistics, scale, shift, relu } = normFlags;
    const descriptor = compiler.primitive(
      name,
      'dnnl_batch_normalization_forward_primitive_desc_create',
      compiler.runtime.engine,
      prop.inference,
      x.descriptor.handle,
      x.descriptor.handle,
      attributes.epsilon,
      globalStatistics | scale | shift | (attributes.relu ? relu : 0),
      compiler.attributes(),
    );
    const destination = compiler.mayOverwrite(x) ? x : compiler.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.scale, compiler.input(node, 1)],
      [arg.shift, compiler.input(node, 2)],
      [arg.mean, compiler.input(node, 3)],
      [arg.variance, compiler.input(node, 4)],
    ] as const;
    compiler.emit(name, descriptor, reads, [[arg.destination, destination]]);
    compiler.define(y, destination);
  },
};

/** Gradients of all statistics lie in one stretch of memory, like the running ones: one primitive moves them all. */
export const updateStatistics: Kernel<'updateStatistics'> = {
  prepare(node, compiler) {
    const layers = layersOf(node.inputs);
    const line = 16;
    const padded = layers
      .flatMap(({ channels }) => [channels, channels])
      .map((n) => Math.ceil(n / line) * line);
    const total = padded.reduce((sum, n) => sum + n, 0);
    const all = compiler.allocate(compiler.descriptors.plain([1, total], 'f32'));
    let offset = 0;
    for (const { mean, variance, channels } of layers) {
      for (const value of [mean, variance]) {
        const descriptor = compiler.descriptors.plain([channels], 'f32');
        compiler.designate(value, { descriptor, place: all.place, offset: offset * 4 });
        offset += Math.ceil(channels / line) * line;
      }
    }
  },
  emit(node, compiler) {
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
    const row = compiler.descriptors.plain([1, total], 'f32');
    const factor = compiler.reinterpret(compiler.constant(factors, `${node.name}.factors`), row);
    const [first] = layers;
    if (!first) return;
    const batch = compiler.reinterpret(compiler.tensor(first.mean), row);
    const running = compiler.reinterpret(compiler.tensor(first.runningMean), row);
    const descriptor = compiler.primitive(
      node.name,
      'dnnl_binary_primitive_desc_create',
      compiler.runtime.engine,
      algorithm.multiply,
      row.handle,
      row.handle,
      row.handle,
      compiler.attributes((postOps) => {
        compiler.runtime.library.call('dnnl_post_ops_append_sum', postOps, 1 - momentum, 0, 0);
      }),
    );
    const reads = [
      [arg.source, batch],
      [arg.source1, factor],
    ] as const;
    compiler.emit(node.name, descriptor, reads, [[arg.destination, running]]);
  },
};

/** Runs once for each set of weights: w' = w s / sqrt(v + e), b' = (b - m) s / sqrt(v + e) + t. */
export const foldBatchNorm: Kernel<'foldBatchNorm'> = {
  emit(node, compiler) {
    const [weightOut, biasOut] = node.outputs;
    if (!weightOut || !biasOut) throw new Error(`'${node.name}' lacks outputs`);
    const reads = node.inputs.map((input) => compiler.plain(compiler.tensor(input), node.name));
    const weight = required(reads, 0, node.name);
    const foldedWeight = compiler.allocate(weight.descriptor);
    const foldedBias = compiler.allocate(compiler.descriptors.plain(biasOut.shape, 'f32'));
    const { epsilon, bias: hasBias } = node.attributes;
    const channels = elements(biasOut);
    const perChannel = elements(weightOut) / channels;
    compiler.emitHost({
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
    compiler.define(weightOut, foldedWeight);
    compiler.define(biasOut, foldedBias);
  },
};

function trainingFlags({ relu }: { readonly relu?: boolean }): number {
  return normFlags.scale | normFlags.shift | (relu ? normFlags.relu : 0);
}

function trainingForward(
  compiler: Compiler,
  name: string,
  x: Tensor,
  attributes: { readonly epsilon: number; readonly relu?: boolean },
): Handle {
  return compiler.primitive(
    name,
    'dnnl_batch_normalization_forward_primitive_desc_create',
    compiler.runtime.engine,
    prop.training,
    x.descriptor.handle,
    x.descriptor.handle,
    attributes.epsilon,
    trainingFlags(attributes),
    compiler.attributes(),
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
