import type { Value } from '../../../graph/graph.js';
import type { Conv2dAttributes } from '../../../graph/ops/conv2d.js';
import type { Emitter } from '../emitter.js';
import { arg } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import { everyNth } from './pool.js';

const bytesOfHalf = 2;

interface Values {
  readonly dy: Value;
  readonly x: Value;
  readonly dweight: Value;
}

/**
 * The gradient of a convolution's weight as one product of matrices, for bf16 in channels-last order:
 * dW (out x taps in) = dY^T (out x places) X (places x taps in), over all places of all pictures.
 * The weight's gradient is channels-last as well; see {@link seenByTaps} for X.
 */
export function emitWeightGradientProduct(
  emitter: Emitter,
  name: string,
  window: Pick<Conv2dAttributes, 'stride' | 'padding'>,
  { dy, x, dweight }: Values,
): void {
  const { descriptors } = emitter;
  const [pictures = 1, out = 1, height = 1, width = 1] = dy.shape;
  const [, channels = 1, down = 1, across = 1] = dweight.shape;
  const [places, columns] = [pictures * height * width, down * across * channels];
  const inLayout = (value: Value): Tensor =>
    emitter.convert(emitter.tensor(value), emitter.activation(value.shape, 'bf16'), name);
  const seen = seenByTaps(emitter, name, inLayout(x), {
    ...window,
    kernel: [down, across],
    places: [height, width],
  });
  const a = emitter.reinterpret(inLayout(dy), descriptors.make([out, places], 'bf16', 'ba'));
  const b = emitter.reinterpret(seen, descriptors.make([places, columns], 'bf16', 'ab'));
  const product = descriptors.plain([out, columns], 'f32');
  const target = emitter.allocateFor(dweight, descriptors.make(dweight.shape, 'f32', 'nhwc'));
  const descriptor = emitter.primitive(
    name,
    'dnnl_matmul_primitive_desc_create',
    emitter.runtime.engine,
    a.descriptor.handle,
    b.descriptor.handle,
    0,
    product.handle,
    emitter.attributes(),
  );
  const reads = [
    [arg.source, a],
    [arg.weights, b],
  ] as const;
  emitter.emit(name, descriptor, reads, [[arg.destination, emitter.reinterpret(target, product)]]);
  emitter.define(dweight, target);
}

type Pair = readonly [number, number];

interface Taps {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  /** Height and width of what the convolution makes. */
  readonly places: Pair;
}

/** For each place, and there for each tap of the kernel, the channels of the pixel that the tap sees. */
function seenByTaps(emitter: Emitter, name: string, x: Tensor, taps: Taps): Tensor {
  const { kernel, stride, padding, places } = taps;
  const [pictures = 1, channels = 1] = x.descriptor.shape;
  const [down, across] = kernel;
  const [high, wide] = places;
  const shape = [pictures, channels, high, wide];
  if (down * across === 1) {
    return stride.some((by) => by > 1) ? everyNth(emitter, `${name}.seen`, x, { shape, stride }) : x;
  }
  const { descriptors } = emitter;
  const source = padded(emitter, name, x, padding);
  const [, , height = 1, width = 1] = source.descriptor.shape;
  const columns = down * across * channels;
  const all = emitter.allocate(descriptors.plain([pictures * high * wide, columns], 'bf16'));
  const pixels = descriptors.strided(shape, 'bf16', [
    ...[height * width * channels, 1],
    ...[stride[0] * width * channels, stride[1] * channels],
  ]);
  const column = descriptors.strided(shape, 'bf16', [high * wide * columns, 1, wide * columns, columns]);
  for (let tap = 0; tap < down * across; tap++) {
    const first = Math.floor(tap / across) * width + (tap % across);
    emitter.reorder(
      part(source, pixels, first * channels * bytesOfHalf),
      part(all, column, tap * channels * bytesOfHalf),
      `${name}.tap${tap}`,
    );
  }
  return all;
}

/** Pictures with zeros around them. */
function padded(emitter: Emitter, name: string, x: Tensor, [above, beside]: Pair): Tensor {
  if (above === 0 && beside === 0) return x;
  const { descriptors } = emitter;
  const [pictures = 1, channels = 1, height = 1, width = 1] = x.descriptor.shape;
  const [high, wide] = [height + 2 * above, width + 2 * beside];
  const around = emitter.allocate(emitter.activation([pictures, channels, high, wide], 'bf16'));
  emitter.emitHost({
    name: `${name}.zeros`,
    // named, so that it is no constant: what is written inside is new at each run
    reads: [x],
    writes: [around],
    run: (views) => void views.bytes(1).fill(0),
  });
  const strides = [high * wide * channels, 1, wide * channels, channels];
  const inside = descriptors.strided(x.descriptor.shape, 'bf16', strides);
  const first = above * wide + beside;
  emitter.reorder(x, part(around, inside, first * channels * bytesOfHalf), `${name}.padded`);
  return around;
}

function part(tensor: Tensor, descriptor: Tensor['descriptor'], bytes: number): Tensor {
  return { ...tensor, descriptor, offset: tensor.offset + bytes };
}
