import { elements, required, type Value } from '../../../graph/graph.js';
import { type Descriptor, type ElementType, elementType } from '../descriptor.js';
import type { Emitter } from '../emitter.js';
import { arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

/** Rows, inputs and outputs of one linear layer. */
interface Size {
  readonly rows: number;
  readonly features: number;
  readonly out: number;
  readonly bias: boolean;
  /** Of what is read and written; gradients of weights are f32 whatever it is. */
  readonly type: ElementType;
}

export const linear: Kernel<'linear'> = {
  emit(node, emitter) {
    const { name } = node;
    const [x, weightValue, bias] = node.inputs;
    const y = required(node.outputs, 0, name);
    if (!x || !weightValue) throw new Error(`'${name}' lacks inputs`);
    const size = sizeOf(x, y, bias !== undefined);
    const descriptor = forward(emitter, name, size);
    const weight = weightTensor(emitter, weightValue, size, name);
    const wanted = emitter.descriptors.chosen(descriptor, 'weights', [size.out, size.features], size.type);
    const prepared = emitter.convert(weight, required([wanted], 0, name), `${name}.weight`);
    const reads: Array<readonly [number, Tensor]> = [
      [arg.source, emitter.plain(emitter.tensor(x), name, size.type)],
      [arg.weights, prepared],
    ];
    if (bias) reads.push([arg.bias, emitter.tensor(emitter.beforeCast(bias))]);
    const destination = emitter.allocateFor(y, emitter.descriptors.plain(y.shape, size.type));
    emitter.emit(name, descriptor, reads, [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

export const linearBackwardInput: Kernel<'linearBackwardInput'> = {
  emit(node, emitter) {
    const { name } = node;
    const [dy, weightValue] = node.inputs;
    const dx = required(node.outputs, 0, name);
    if (!dy || !weightValue) throw new Error(`'${name}' lacks inputs`);
    const size = sizeOf(dx, dy, false);
    const { descriptors } = emitter;
    const descriptor = emitter.primitive(
      name,
      'dnnl_inner_product_backward_data_primitive_desc_create',
      emitter.runtime.engine,
      descriptors.plain([size.rows, size.features], size.type).handle,
      descriptors.make([size.out, size.features], size.type, 'any').handle,
      descriptors.plain([size.rows, size.out], size.type).handle,
      forward(emitter, name, size),
      emitter.attributes(),
    );
    const wanted = required(
      [descriptors.chosen(descriptor, 'weights', [size.out, size.features], size.type)],
      0,
      name,
    );
    const weight = emitter.convert(weightTensor(emitter, weightValue, size, name), wanted, `${name}.weight`);
    const target = emitter.allocateFor(dx, descriptors.plain(dx.shape, size.type));
    const reads = [
      [arg.diffDestination, emitter.plain(emitter.tensor(dy), name, size.type)],
      [arg.weights, weight],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.diffSource, target]]);
    emitter.define(dx, target);
  },
};

export const linearBackwardWeight: Kernel<'linearBackwardWeight'> = {
  emit(node, emitter) {
    const { name } = node;
    const [dy, x] = node.inputs;
    const [dweight, dbias] = node.outputs;
    if (!dy || !x || !dweight) throw new Error(`'${name}' lacks a tensor`);
    const size = sizeOf(x, dy, dbias !== undefined);
    const descriptor = backwardWeight(emitter, name, size);
    const target = emitter.allocateFor(dweight, diffWeights(emitter, descriptor, size, name));
    const writes: Array<readonly [number, Tensor]> = [[arg.diffWeights, target]];
    const biasTarget = dbias && emitter.allocateFor(dbias, emitter.descriptors.plain(dbias.shape, 'f32'));
    if (biasTarget) writes.push([arg.diffBias, biasTarget]);
    const reads = [
      [arg.source, emitter.plain(emitter.tensor(x), name, size.type)],
      [arg.diffDestination, emitter.plain(emitter.tensor(dy), name, size.type)],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    emitter.define(dweight, target);
    if (dbias && biasTarget) emitter.define(dbias, biasTarget);
  },
};

function sizeOf(x: Value, y: Value, bias: boolean): Size {
  const rows = x.shape[0] ?? 1;
  return {
    ...{ rows, features: elements(x) / rows, out: elements(y) / rows, bias },
    type: elementType(x.dtype),
  };
}

function forward(emitter: Emitter, name: string, size: Size): Handle {
  const { descriptors, runtime } = emitter;
  return emitter.primitive(
    name,
    'dnnl_inner_product_forward_primitive_desc_create',
    runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    descriptors.plain([size.rows, size.features], size.type).handle,
    descriptors.make([size.out, size.features], size.type, 'any').handle,
    size.bias ? descriptors.plain([size.out], 'f32').handle : 0,
    descriptors.plain([size.rows, size.out], size.type).handle,
    emitter.attributes(),
  );
}

function backwardWeight(emitter: Emitter, name: string, size: Size): Handle {
  const { descriptors, runtime } = emitter;
  return emitter.primitive(
    name,
    'dnnl_inner_product_backward_weights_primitive_desc_create',
    runtime.engine,
    descriptors.plain([size.rows, size.features], size.type).handle,
    descriptors.make([size.out, size.features], 'f32', 'any').handle,
    size.bias ? descriptors.plain([size.out], 'f32').handle : 0,
    descriptors.plain([size.rows, size.out], size.type).handle,
    forward(emitter, name, size),
    emitter.attributes(),
  );
}

function diffWeights(emitter: Emitter, descriptor: Handle, size: Size, name: string): Descriptor {
  const shape = [size.out, size.features];
  return required([emitter.descriptors.chosen(descriptor, 'diffWeights', shape, 'f32')], 0, name);
}

/** The weight as a matrix; one that is learned is kept as its gradient comes. */
function weightTensor(emitter: Emitter, value: Value, size: Size, name: string): Tensor {
  const shape = [size.out, size.features];
  const tensor = emitter.parameter(emitter.beforeCast(value), (kept) => {
    // the layout that a half precision primitive wants is of its half precision copy
    if (!emitter.trains && size.type !== 'f32') return kept.plain(value.shape, 'f32');
    const descriptor = emitter.trains ? backwardWeight(emitter, name, size) : forward(emitter, name, size);
    const which = emitter.trains ? 'diffWeights' : 'weights';
    return required([kept.chosen(descriptor, which, shape, 'f32')], 0, name);
  });
  if (tensor.descriptor.shape.length === shape.length) {
    return value === emitter.beforeCast(value) ? tensor : emitter.tensor(value);
  }
  return emitter.reinterpret(emitter.plain(tensor, name), emitter.descriptors.plain(shape, 'f32'));
}
