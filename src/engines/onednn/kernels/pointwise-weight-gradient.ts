import type { Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { arg } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import { everyNth } from './pool.js';

/**
 * The gradient of a 1x1 convolution's weight as one product of matrices, for tensors in channels-last order:
 * dW (out x in) = dY^T (out x places) X (places x in), over all places of all pictures.
 */
export function emitPointwiseWeightGradient(
  emitter: Emitter,
  { name, stride }: { readonly name: string; readonly stride: readonly number[] },
  { dy, x, dweight }: { readonly dy: Value; readonly x: Value; readonly dweight: Value },
): void {
  const { descriptors } = emitter;
  const [pictures = 1, out = 1, height = 1, width = 1] = dy.shape;
  const channels = x.shape[1] ?? 1;
  const places = pictures * height * width;
  const inLayout = (value: Value): Tensor =>
    emitter.convert(emitter.tensor(value), emitter.activation(value.shape, 'bf16'), name);
  const seen = { shape: [pictures, channels, height, width], stride };
  const sparse = stride.some((by) => by > 1);
  const source = sparse ? everyNth(emitter, `${name}.seen`, inLayout(x), seen) : inLayout(x);
  const a = emitter.reinterpret(inLayout(dy), descriptors.make([out, places], 'bf16', 'ba'));
  const b = emitter.reinterpret(source, descriptors.make([places, channels], 'bf16', 'ab'));
  const product = descriptors.plain([out, channels], 'f32');
  const target = emitter.allocateFor(dweight, descriptors.plain(dweight.shape, 'f32'));
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
