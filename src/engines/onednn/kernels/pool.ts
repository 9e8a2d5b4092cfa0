import { required, type Value } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import type { Descriptor } from '../descriptor.js';
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
  emit(node, compiler) {
    const [y, winners] = node.outputs;
    emitForward(compiler, node.name, compiler.input(node, 0), y, maxWindow(node.attributes), winners);
  },
};

export const maxPoolBackward: Kernel<'maxPoolBackward'> = {
  emit(node, compiler) {
    emitBackward(compiler, node.name, node.inputs, node.outputs, maxWindow(node.attributes));
  },
};

export const avgPool: Kernel<'avgPool'> = {
  emit(node, compiler) {
    emitForward(compiler, node.name, compiler.input(node, 0), node.outputs[0], avgWindow(node.attributes));
  },
};

export const avgPoolBackward: Kernel<'avgPoolBackward'> = {
  emit(node, compiler) {
    emitBackward(compiler, node.name, node.inputs, node.outputs, avgWindow(node.attributes));
  },
};

export const globalAvgPool: Kernel<'globalAvgPool'> = {
  emit(node, compiler) {
    const x = compiler.input(node, 0);
    emitForward(compiler, node.name, x, node.outputs[0], wholePlane(x.descriptor.shape));
  },
};

export const globalAvgPoolBackward: Kernel<'globalAvgPoolBackward'> = {
  emit(node, compiler) {
    emitBackward(compiler, node.name, node.inputs, node.outputs, wholePlane(node.attributes.shape));
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
  compiler: Compiler,
  name: string,
  x: Tensor,
  y: Value | undefined,
  window: Window,
  note?: Value,
): void {
  const result = required([y], 0, name);
  // both passes in one layout: the note of the winners is laid out like the result
  const source = compiler.convert(x, compiler.blocked(x.descriptor.shape), name);
  const described = compiler.blocked(result.shape);
  const descriptor = forward(compiler, name, source.descriptor, described, window);
  const destination = compiler.allocateFor(result, described);
  const writes: Array<readonly [number, Tensor]> = [[arg.destination, destination]];
  // asked for by training only; inference primitives have none
  const workspace = compiler.descriptors.chosen(descriptor, 'workspace', [1], 'u8');
  if (workspace) {
    const noted = compiler.allocate(workspace);
    writes.push([arg.workspace, noted]);
    if (note) compiler.define(note, noted);
  }
  compiler.emit(name, descriptor, [[arg.source, source]], writes);
  compiler.define(result, destination);
}

function emitBackward(
  compiler: Compiler,
  name: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  window: Window,
): void {
  const dx = required(outputs, 0, name);
  const dyValue = required(inputs, 0, name);
  const given = compiler.tensor(dyValue);
  const source = compiler.blocked(dx.shape);
  const destination = compiler.blocked(dyValue.shape);
  const hint = forward(compiler, name, source, destination, window);
  const descriptor = compiler.primitive(
    name,
    'dnnl_pooling_backward_primitive_desc_create',
    compiler.runtime.engine,
    window.algorithm,
    source.handle,
    destination.handle,
    ...windowArguments(window),
    hint,
    compiler.attributes(),
  );
  const dy = compiler.convert(given, destination, name);
  const target = compiler.allocateFor(dx, source);
  const reads: Array<readonly [number, Tensor]> = [[arg.diffDestination, dy]];
  const note = inputs[1];
  if (note) reads.push([arg.workspace, compiler.tensor(note)]);
  compiler.emit(name, descriptor, reads, [[arg.diffSource, target]]);
  compiler.define(dx, target);
}

function forward(compiler: Compiler, name: string, x: Descriptor, y: Descriptor, window: Window): Handle {
  return compiler.primitive(
    name,
    'dnnl_pooling_forward_primitive_desc_create',
    compiler.runtime.engine,
    compiler.trains ? prop.training : prop.inference,
    window.algorithm,
    x.handle,
    y.handle,
    ...windowArguments(window),
    compiler.attributes(),
  );
}

type WindowArguments = [BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array];

function windowArguments({ kernel, stride, padding }: Window): WindowArguments {
  const big = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  return [big(stride), big(kernel), big([0, 0]), big(padding), big(padding)];
}
