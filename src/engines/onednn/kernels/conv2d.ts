import { elements, required, type TensorType, type Value } from '../../../graph/graph.js';
import type { Conv2dAttributes } from '../../../graph/ops/conv2d.js';
import { type Descriptor, type Descriptors, type ElementType, elementType } from '../descriptor.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import { fewChannels } from '../layout.js';
import { regionOf, type Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';
import { emitWeightGradientProduct } from './weight-gradient-product.js';

/** What the three primitives of one convolution have in common. */
interface Geometry {
  readonly source: readonly number[];
  readonly weight: readonly number[];
  readonly destination: readonly number[];
  readonly windows: readonly [BigInt64Array, BigInt64Array, BigInt64Array, BigInt64Array];
  readonly bias: boolean;
  /** Of what is read and written; gradients of weights are f32 whatever it is. */
  readonly type: ElementType;
}

/** Layouts asked for; `any` leaves it to the primitive. */
interface Wanted {
  readonly source: Descriptor;
  readonly destination: Descriptor;
}

export const conv2d: Kernel<'conv2d'> = {
  emit(node, emitter) {
    const { attributes, name } = node;
    const [x, weightValue] = [required(node.inputs, 0, name), required(node.inputs, 1, name)];
    const y = required(node.outputs, 0, name);
    const addendValue = attributes.residual ? node.inputs.at(-1) : undefined;
    const bias = node.inputs.length > (attributes.residual ? 3 : 2) ? node.inputs[2] : undefined;
    const geometry = geometryOf(attributes, x, weightValue, y, bias !== undefined);
    const choice = forwardChoice(emitter, name, geometry);
    const weight = weightTensor(emitter, weightValue, geometry, choice);

    const addend = addendValue && emitter.tensor(addendValue);
    const source = emitter.tensor(x);
    const inPlace =
      addend !== undefined && emitter.mayOverwrite(addend) && regionOf(addend) !== regionOf(source)
        ? addend
        : undefined;
    const append = (postOps: Handle): void => {
      const { library } = emitter.runtime;
      if (inPlace) library.call('dnnl_post_ops_append_sum', postOps, 1, 0, 0);
      else if (addend)
        library.call('dnnl_post_ops_append_binary', postOps, algorithm.add, addend.descriptor.handle);
      if (attributes.relu) library.call('dnnl_post_ops_append_eltwise', postOps, algorithm.relu, 0, 0);
    };
    const wanted = addend ? { ...choice.wanted, destination: addend.descriptor } : choice.wanted;
    const attribute = emitter.attributes(addend || attributes.relu ? append : undefined);
    const descriptor = required([forward(emitter, geometry, wanted, attribute)], 0, name);
    const { descriptors } = emitter;
    const read = chooser(descriptors, descriptor, geometry.type);
    const sourceTensor = emitter.convert(source, read('source', geometry.source), name);
    const prepared = emitter.convert(weight, read('weights', geometry.weight), `${name}.weight`);
    const destination = inPlace ?? emitter.allocateFor(y, read('destination', geometry.destination));
    const reads: Array<readonly [number, Tensor]> = [
      [arg.source, sourceTensor],
      [arg.weights, prepared],
    ];
    if (bias) reads.push([arg.bias, emitter.plain(emitter.tensor(emitter.beforeCast(bias)), name)]);
    if (addend && !inPlace) reads.push([arg.postOpSource1(0), addend]);
    emitter.emit(name, descriptor, reads, [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

export const conv2dBackwardInput: Kernel<'conv2dBackwardInput'> = {
  emit(node, emitter) {
    const { name, attributes } = node;
    const dy = emitter.input(node, 0);
    const weightValue = required(node.inputs, 1, name);
    const dx = required(node.outputs, 0, name);
    const geometry = geometryOf(attributes, dx, weightValue, required(node.inputs, 0, name), false);
    const choice = forwardChoice(emitter, name, geometry);
    const make = (wanted: Wanted, hint: Handle): Handle | undefined =>
      emitter.tryPrimitive(
        'dnnl_convolution_backward_data_primitive_desc_create',
        emitter.runtime.engine,
        algorithm.convolutionDirect,
        wanted.source.handle,
        any(emitter, geometry.weight, geometry.type).handle,
        wanted.destination.handle,
        ...geometry.windows,
        hint,
        emitter.attributes(),
      );
    const descriptor = fast(emitter, geometry, choice, make);
    const read = chooser(emitter.descriptors, descriptor, geometry.type);
    const dyTensor = emitter.convert(dy, read('diffDestination', geometry.destination), name);
    const weight = weightTensor(emitter, weightValue, geometry, choice);
    const prepared = emitter.convert(weight, read('weights', geometry.weight), `${name}.weight`);
    const dxTensor = emitter.allocateFor(dx, read('diffSource', geometry.source));
    const reads = [
      [arg.diffDestination, dyTensor],
      [arg.weights, prepared],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.diffSource, dxTensor]]);
    emitter.define(dx, dxTensor);
  },
};

export const conv2dBackwardWeight: Kernel<'conv2dBackwardWeight'> = {
  emit(node, emitter) {
    const { name, attributes } = node;
    const [dyValue, xValue] = [required(node.inputs, 0, name), required(node.inputs, 1, name)];
    const dweight = required(node.outputs, 0, name);
    const whole = geometryOf(attributes, xValue, dweight, dyValue, attributes.bias);
    if (isProduct(emitter, whole)) {
      const values = { dy: dyValue, x: xValue, dweight };
      return emitWeightGradientProduct(emitter, name, attributes, values);
    }
    const geometry = backwardWeightGeometry(whole);
    const choice = forwardChoice(emitter, name, geometry);
    const descriptor = backwardWeight(emitter, geometry, choice);
    const read = chooser(emitter.descriptors, descriptor, geometry.type);
    const x = emitter.convert(emitter.tensor(xValue), read('source', geometry.source), name);
    const dy = emitter.convert(emitter.tensor(dyValue), read('diffDestination', geometry.destination), name);
    const target = emitter.allocateFor(dweight, read('diffWeights', geometry.weight, 'f32'));
    const writes: Array<readonly [number, Tensor]> = [[arg.diffWeights, target]];
    const dbias = node.outputs[1];
    const biasTarget = dbias && emitter.allocateFor(dbias, emitter.descriptors.plain(dbias.shape, 'f32'));
    if (biasTarget) writes.push([arg.diffBias, biasTarget]);
    const reads = [
      [arg.source, x],
      [arg.diffDestination, dy],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    emitter.define(dweight, target);
    if (dbias && biasTarget) emitter.define(dbias, biasTarget);
  },
};

interface Choice {
  readonly wanted: Wanted;
  /** The forward primitive without post-operations, which the backward ones are matched to. */
  readonly hint: Handle;
}

function geometryOf(
  attributes: Conv2dAttributes,
  x: TensorType,
  weight: TensorType,
  y: TensorType,
  bias: boolean,
): Geometry {
  const { groups } = attributes;
  const [out = 1, ...rest] = weight.shape;
  const big = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  const padding = big(attributes.padding);
  return {
    source: x.shape,
    weight: groups > 1 ? [groups, out / groups, ...rest] : weight.shape,
    destination: y.shape,
    // oneDNN counts a dense kernel as dilation 0
    windows: [big(attributes.stride), big(attributes.dilation.map((step) => step - 1)), padding, padding],
    bias,
    type: elementType(x.dtype),
  };
}

function any(emitter: Emitter, shape: readonly number[], type: ElementType): Descriptor {
  return emitter.descriptors.make(shape, type, 'any');
}

function forward(
  emitter: Emitter,
  geometry: Geometry,
  wanted: Wanted,
  attributes: Handle,
): Handle | undefined {
  const bias = geometry.bias ? emitter.descriptors.plain([geometry.destination[1] ?? 0], 'f32').handle : 0;
  return emitter.tryPrimitive(
    'dnnl_convolution_forward_primitive_desc_create',
    emitter.runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    algorithm.convolutionDirect,
    wanted.source.handle,
    any(emitter, geometry.weight, geometry.type).handle,
    bias,
    wanted.destination.handle,
    ...geometry.windows,
    attributes,
  );
}

/** The graph's layout where a fast implementation takes it, else what oneDNN prefers. */
function forwardChoice(emitter: Emitter, name: string, geometry: Geometry): Choice {
  const free: Wanted = {
    source: any(emitter, geometry.source, geometry.type),
    destination: any(emitter, geometry.destination, geometry.type),
  };
  const fixed: Wanted = {
    source:
      (geometry.source[1] ?? 0) <= fewChannels
        ? free.source
        : emitter.activation(geometry.source, geometry.type),
    destination: emitter.activation(geometry.destination, geometry.type),
  };
  for (const wanted of [fixed, free]) {
    const hint = forward(emitter, geometry, wanted, emitter.attributes());
    if (hint && (wanted === free || isFast(emitter, hint))) return { wanted, hint };
  }
  // asks once more to get the library's own words into the error
  const { source, destination } = free;
  emitter.primitive(
    name,
    'dnnl_convolution_forward_primitive_desc_create',
    emitter.runtime.engine,
    prop.training,
    algorithm.convolutionDirect,
    source.handle,
    any(emitter, geometry.weight, geometry.type).handle,
    0,
    destination.handle,
    ...geometry.windows,
    0,
  );
  throw new Error(`no convolution for ${name}`);
}

/** Makes a backward primitive in the forward one's layouts, or in free ones where that would be slow. */
function fast(
  emitter: Emitter,
  geometry: Geometry,
  choice: Choice,
  make: (wanted: Wanted, hint: Handle) => Handle | undefined,
): Handle {
  const first = make(choice.wanted, choice.hint);
  if (first && isFast(emitter, first)) return first;
  const free: Wanted = {
    source: any(emitter, geometry.source, geometry.type),
    destination: any(emitter, geometry.destination, geometry.type),
  };
  const hint = forward(emitter, geometry, free, emitter.attributes());
  const second = hint && make(free, hint);
  return required(
    [second && (isFast(emitter, second) || !first) ? second : first],
    0,
    'backward convolution',
  );
}

function backwardWeight(emitter: Emitter, geometry: Geometry, choice: Choice): Handle {
  const bias = geometry.bias ? emitter.descriptors.plain([geometry.destination[1] ?? 0], 'f32').handle : 0;
  return fast(emitter, geometry, choice, (wanted, hint) =>
    emitter.tryPrimitive(
      'dnnl_convolution_backward_weights_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.convolutionDirect,
      wanted.source.handle,
      any(emitter, geometry.weight, 'f32').handle,
      bias,
      wanted.destination.handle,
      ...geometry.windows,
      hint,
      emitter.attributes(),
    ),
  );
}

/**
 * Of a picture narrower than the stride oneDNN 3.2's bf16 kernels multiply zeros by scratch memory that nobody has
 * written, and a NaN there comes through: these few take f32.
 */
function backwardWeightGeometry(geometry: Geometry): Geometry {
  const narrow = BigInt(geometry.source[3] ?? 0) < (geometry.windows[0][1] ?? 0n);
  return narrow ? { ...geometry, type: 'f32' } : geometry;
}

/** Pixels in a row up to which AMX's own kernel takes longer than gathering what each tap of a 3x3 sees. */
const shortRow = 8;

/**
 * Whether the weight's gradient is taken as a product of matrices. oneDNN 3.2's AMX kernel for it fills its tiles from
 * single rows of a picture: where rows are short, most of a tile is empty.
 */
function isProduct(emitter: Emitter, { weight, destination, windows, bias, type }: Geometry): boolean {
  const [stride, dilation, padding] = windows;
  const kernel = weight.slice(-2);
  const pointwise = kernel.every((extent) => extent === 1) && padding.every((by) => by === 0n);
  const gathers =
    (destination[3] ?? 0) <= shortRow &&
    kernel.every((extent, axis) => extent > 1 && BigInt(extent) >= (stride[axis] ?? 1n)) &&
    dilation.every((by) => by === 0n);
  // a weight in groups has an axis more
  const possible = type === 'bf16' && emitter.layout === 'nhwc' && weight.length === 4 && !bias;
  return possible && (pointwise || gathers);
}

/** The primitive that the gradient of this weight will come from. */
function gradientOf(emitter: Emitter, name: string, geometry: Geometry, choice: Choice): Handle {
  const own = backwardWeightGeometry(geometry);
  return backwardWeight(emitter, own, own === geometry ? choice : forwardChoice(emitter, name, own));
}

/** The weight with a group axis where needed; one that is learned is kept as its gradient comes. */
function weightTensor(emitter: Emitter, value: Value, geometry: Geometry, choice: Choice): Tensor {
  const tensor = emitter.parameter(emitter.beforeCast(value), (kept) => {
    // the layout that a half precision primitive wants is of its half precision copy
    if (!emitter.trains && geometry.type !== 'f32') return kept.plain(value.shape, 'f32');
    if (emitter.trains && isProduct(emitter, geometry)) return kept.make(value.shape, 'f32', 'nhwc');
    const descriptor = emitter.trains ? gradientOf(emitter, value.name, geometry, choice) : choice.hint;
    const which = emitter.trains ? 'diffWeights' : 'weights';
    return required([kept.chosen(descriptor, which, geometry.weight, 'f32')], 0, value.name);
  });
  if (tensor.descriptor.shape.length === geometry.weight.length) {
    return value === emitter.beforeCast(value) ? tensor : emitter.tensor(value);
  }
  const plain = emitter.plain(tensor, value.name);
  return emitter.reinterpret(plain, emitter.descriptors.plain(geometry.weight, 'f32'));
}

function chooser(
  descriptors: Descriptors,
  primitive: Handle,
  usual: ElementType,
): (which: Parameters<Descriptors['chosen']>[1], shape: readonly number[], type?: ElementType) => Descriptor {
  return (which, shape, type = usual) =>
    required([descriptors.chosen(primitive, which, shape, type)], 0, `${which} ${elements({ shape })}`);
}

function isFast(emitter: Emitter, primitive: Handle): boolean {
  return !emitter.descriptors.implementation(primitive).startsWith('ref');
}
