import { required, type Value } from '../../../graph/graph.js';
import type { Descriptor } from '../descriptor.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

interface Window {
  readonly algorithm: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

export const maxPool: Kernel<'maxPool'> = {
  emit(node, emitter) {
    const [y, winners] = node.outputs;
    emitForward(emitter, node.name, emitter.input(node, 0), y, maxWindow(node.attributes), winners);
  },
};

export const maxPoolBackward: Kernel<'maxPoolBackward'> = {
  emit(node, emitter) {
    emitBackward(emitter, node.name, node.inputs, node.outputs, maxWindow(node.attributes));
  },
};

export const avgPool: Kernel<'avgPool'> = {
  emit(node, emitter) {
    emitForward(emitter, node.name, emitter.input(node, 0), node.outputs[0], avgWindow(node.attributes));
  },
};

export const avgPoolBackward: Kernel<'avgPoolBackward'> = {
  emit(node, emitter) {
    emitBackward(emitter, node.name, node.inputs, node.outputs, avgWindow(node.attributes));
  },
};

export const globalAvgPool: Kernel<'globalAvgPool'> = {
  emit(node, emitter) {
    const x = emitter.input(node, 0);
    emitForward(emitter, node.name, x, node.outputs[0], wholePlane(x.descriptor.shape));
  },
};

export const globalAvgPoolBackward: Kernel<'globalAvgPoolBackward'> = {
  emit(node, emitter) {
    emitBackward(emitter, node.name, node.inputs, node.outputs, wholePlane(node.attributes.shape));
  },
};

interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
}

function maxWindow({ kernel, stride, padding }: WindowAttributes): Window {
  return { algorithm: algorithm.maxPool, kernel, stride, padding };
}

function avgWindow({
  kernel,
  stride,
  padding,
  countIncludePad,
}: WindowAttributes & { readonly countIncludePad: boolean }): Window {
  const kind = countIncludePad ? algorithm.avgPoolIncludePadding : algorithm.avgPoolExcludePadding;
  return { algorithm: kind, kernel, stride, padding };
}

function wholePlane([, , height = 1, width = 1]: readonly number[]): Window {
  return {
    algorithm: algorithm.avgPoolExcludePadding,
    kernel: [height, width],
    stride: [1, 1],
    padding: [0, 0],
  };
}

function emitForward(
  emitter: Emitter,
  name: string,
  x: Tensor,
  y: Value | undefined,
  window: Window,
  note?: Value,
): void {
  const result = required([y], 0, name);
  // both passes in one layout: the note of the winners is laid out like the result
  const { shape, type } = x.descriptor;
  const source = emitter.convert(x, emitter.blocked(shape, type), name);
  const described = emitter.blocked(result.shape, type);
  const descriptor = forward(emitter, name, source.descriptor, described, window);
  const destination = emitter.allocateFor(result, described);
  const writes: Array<readonly [number, Tensor]> = [[arg.destination, destination]];
  // asked for by training only; inference primitives have none
  const workspace = emitter.descriptors.chosen(descriptor, 'workspace', [1], 'u8');
  if (workspace) {
    const noted = emitter.allocate(workspace);
    writes.push([arg.workspace, noted]);
    if (note) emitter.define(note, noted);
  }
  emitter.emit(name, descriptor, [[arg.source, source]], writes);
  emitter.define(result, destination);
}

function emitBackward(
  emitter: Emitter,
  name: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  window: Window,
): void {
  const dx = required(outputs, 0, name);
  const dyValue = required(inputs, 0, name);
  const given = emitter.tensor(dyValue);
  const { type } = given.descriptor;
  const source = emitter.blocked(dx.shape, type);
  const destination = emitter.blocked(dyValue.shape, type);
  const hint = forward(emitter, name, source, destination, window);
  const descriptor = emitter.primitive(
    name,
    'dnnl_pooling_backward_primitive_desc_create',
    emitter.runtime.engine,
    window.algorithm,
    source.handle,
    destination.handle,
    ...windowArguments(window),
    hint,
    emitter.attributes(),
  );
  const dy = emitter.convert(given, destination, name);
  const target = emitter.allocateFor(dx, source);
  const reads: Array<readonly [number, Tensor]> = [[arg.diffDestination, dy]];
  const note = inputs[1];
  if (note) reads.push([arg.workspace, emitter.tensor(note)]);
  emitter.emit(name, descriptor, reads, [[arg.diffSource, target]]);
  emitter.define(dx, target);
}

/** Every stride-th pixel of pictures in the graph's layout, as means of one pixel each: exact, NaN and infinities too. */
export function everyNth(
  emitter: Emitter,
  name: string,
  x: Tensor,
  to: { readonly shape: readonly number[]; readonly stride: readonly number[] },
): Tensor {
  const window = { algorithm: algorithm.avgPoolExcludePadding, kernel: [1, 1], padding: [0, 0], ...to };
  const kept = emitter.allocate(emitter.activation(to.shape, x.descriptor.type));
  const descriptor = forward(emitter, name, x.descriptor, kept.descriptor, window);
  emitter.emit(name, descriptor, [[arg.source, x]], [[arg.destination, kept]]);
  return kept;
}

function forward(emitter: Emitter, name: string, x: Descriptor, y: Descriptor, window: Window): Handle {
  return emitter.primitive(
    name,
    'dnnl_pooling_forward_primitive_desc_create',
    emitter.runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    window.algorithm,
    x.handle,
    y.handle,
    ...windowArguments(window),
    emitter.attributes(),
  );
}

type WindowArguments = [BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array];

function windowArguments({ kernel, stride, padding }: Window): WindowArguments {
  const big = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  return [big(stride), big(kernel), big([0, 0]), big(padding), big(padding)];
}
