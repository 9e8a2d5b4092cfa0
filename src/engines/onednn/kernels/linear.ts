import { elements, required, type Value } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import type { Descriptor } from '../descriptor.js';
import { arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

/** Rows, inputs and outputs of one linear layer. */
interface Size {
  readonly rows: number;
  readonly features: number;
  readonly out: number;
  readonly bias: boolean;
}

export const linear: Kernel<'linear'> = {
  emit(node, compiler) {
    const { name } = node;
    const [x, weightValue, bias] = node.inputs;
    const y = required(node.outputs, 0, name);
    if (!x || !weightValue) throw new Error(`'${name}' lacks inputs`);
    const size = sizeOf(x, y, bias !== undefined);
    const descriptor = forward(compiler, name, size);
    const weight = weightTensor(compiler, weightValue, size, name);
    const wanted = compiler.descriptors.chosen(descriptor, 'weights', [size.out, size.features], 'f32');
    const prepared = compiler.convert(weight, required([wanted], 0, name), `${name}.weight`);
    const reads: Array<readonly [number, Tensor]> = [
      [arg.source, compiler.plain(compiler.tensor(x), name)],
      [arg.weights, prepared],
    ];
    if (bias) reads.push([arg.bias, compiler.tensor(bias)]);
    const destination = compiler.allocateFor(y, compiler.descriptors.plain(y.shape, 'f32'));
    compiler.emit(name, descriptor, reads, [[arg.destination, destination]]);
    compiler.define(y, destination);
  },
};

export const linearBackwardInput: Kernel<'linearBackwardInput'> = {
  emit(node, compiler) {
    const { name } = node;
    const [dy, weightValue] = node.inputs;
    const dx = required(node.outputs, 0, name);
    if (!dy || !weightValue) throw new Error(`'${name}' lacks inputs`);
    const size = sizeOf(dx, dy, false);
    const { descriptors } = compiler;
    const descriptor = compiler.primitive(
      name,
      'dnnl_inner_product_backward_data_primitive_desc_create',
      compiler.runtime.engine,
      descriptors.plain([size.rows, size.features], 'f32').handle,
      descriptors.make([size.out, size.features], 'f32', 'any').handle,
      descriptors.plain([size.rows, size.out], 'f32').handle,
      forward(compiler, name, size),
      compiler.attributes(),
    );
    const wanted = required(
      [descriptors.chosen(descriptor, 'weights', [size.out, size.features], 'f32')],
      0,
      name,
    );
    const weight = compiler.convert(
      weightTensor(compiler, weightValue, size, name),
      wanted,
      `${name}.weight`,
    );
    const target = compiler.allocateFor(dx, descriptors.plain(dx.shape, 'f32'));
    const reads = [
      [arg.diffDestination, compiler.plain(compiler.tensor(dy), name)],
      [arg.weights, weight],
    ] as const;
    compiler.emit(name, descriptor, reads, [[arg.diffSource, target]]);
    compiler.define(dx, target);
  },
};

export const linearBackwardWeight: Kernel<'linearBackwardWeight'> = {
  emit(node, compiler) {
    const { name } = node;
    const [dy, x] = node.inputs;
    const [dweight, dbias] = node.outputs;
    if (!dy || !x || !dweight) throw new Error(`'${name}' lacks a tensor`);
    const size = sizeOf(x, dy, dbias !== undefined);
    const descriptor = backwardWeight(compiler, name, size);
    const target = compiler.allocateFor(dweight, diffWeights(compiler, descriptor, size, name));
    const writes: Array<readonly [number, Tensor]> = [[arg.diffWeights, target]];
    const biasTarget = dbias && compiler.allocateFor(dbias, compiler.descriptors.plain(dbias.shape, 'f32'));
    if (biasTarget) writes.push([arg.diffBias, biasTarget]);
    const reads = [
      [arg.source, compiler.plain(compiler.tensor(x), name)],
      [arg.diffDestination, compiler.plain(compiler.tensor(dy), name)],
    ] as const;
    compiler.emit(name, descriptor, reads, writes);
    compiler.define(dweight, target);
    if (dbias && biasTarget) compiler.define(dbias, biasTarget);
  },
};

function sizeOf(x: Value, y: Value, bias: boolean): Size {
  const rows = x.shape[0] ?? 1;
  return { rows, features: elements(x) / rows, out: elements(y) / rows, bias };
}

function forward(compiler: Compiler, name: string, size: Size): Handle {
  const { descriptors, runtime } = compiler;
  return compiler.primitive(
    name,
    'dnnl_inner_product_forward_primitive_desc_create',
    runtime.engine,
    compiler.trains ? prop.training : prop.inference,
    descriptors.plain([size.rows, size.features], 'f32').handle,
    descriptors.make([size.out, size.features], 'f32', 'any').handle,
    size.bias ? descriptors.plain([size.out], 'f32').handle : 0,
    descriptors.plain([size.rows, size.out], 'f32').handle,
    compiler.attributes(),
  );
}

function backwardWeight(compiler: Compiler, name: string, size: Size): Handle {
  const { descriptors, runtime } = compiler;
  return compiler.primitive(
    name,
    'dnnl_inner_product_backward_weights_primitive_desc_create',
    runtime.engine,
    descriptors.plain([size.rows, size.features], 'f32').handle,
    descriptors.make([size.out, size.features], 'f32', 'any').handle,
    size.bias ? descriptors.plain([size.out], 'f32').handle : 0,
    descriptors.plain([size.rows, size.out], 'f32').handle,
    forward(compiler, name, size),
    compiler.attributes(),
  );
}

function diffWeights(compiler: Compiler, descriptor: Handle, size: Size, name: string): Descriptor {
  const shape = [size.out, size.features];
  return required([compiler.descriptors.chosen(descriptor, 'diffWeights', shape, 'f32')], 0, name);
}

/** The weight as a matrix; one that is learned is kept as its gradient comes. */
function weightTensor(compiler: Compiler, value: Value, size: Size, name: string): Tensor {
  const shape = [size.out, size.features];
  const tensor = compiler.parameter(value, (kept) => {
    const descriptor = compiler.trains ? backwardWeight(compiler, name, size) : forward(compiler, name, size);
    const which = compiler.trains ? 'diffWeights' : 'weights';
    return required([kept.chosen(descriptor, which, shape, 'f32')], 0, name);
  });
  if (tensor.descriptor.shape.length === shape.length) return tensor;
  return compiler.reinterpret(compiler.plain(tensor, name), compiler.descriptors.plain(shape, 'f32'));
}
