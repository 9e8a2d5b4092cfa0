import { elements, required } from '../../../graph/graph.js';
import { algorithm, arg } from '../ffi.js';
import { channelVector } from '../layout.js';
import type { Kernel } from './kernel.js';

export const bias: Kernel<'bias'> = {
  emit(node, emitter) {
    const { name } = node;
    const y = required(node.outputs, 0, name);
    const x = emitter.input(node, 0);
    const row = channelVector(emitter.descriptors, x.descriptor);
    const offset = emitter.reinterpret(emitter.input(node, 1), row);
    const descriptor = emitter.primitive(
      name,
      'dnnl_binary_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.add,
      x.descriptor.handle,
      offset.descriptor.handle,
      x.descriptor.handle,
      emitter.attributes(),
    );
    const target = emitter.mayOverwrite(x) ? x : emitter.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.source1, offset],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.destination, target]]);
    emitter.define(y, target);
  },
};

export const biasBackward: Kernel<'biasBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const dbias = required(node.outputs, 0, name);
    const dy = emitter.input(node, 0);
    const target = emitter.allocateFor(dbias, emitter.descriptors.plain(dbias.shape, 'f32'));
    const reduced = emitter.descriptors.plain(broadcastShape(dy.descriptor.shape), 'f32');
    if (elements(dy.descriptor) === elements(dbias)) {
      // oneDNN refuses a reduction that reduces nothing
      emitter.reorder(dy, emitter.reinterpret(target, reduced), name);
      emitter.define(dbias, target);
      return;
    }
    const descriptor = emitter.primitive(
      name,
      'dnnl_reduction_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.reductionSum,
      dy.descriptor.handle,
      reduced.handle,
      0,
      0,
      emitter.attributes(),
    );
    const written = emitter.reinterpret(target, reduced);
    emitter.emit(name, descriptor, [[arg.source, dy]], [[arg.destination, written]]);
    emitter.define(dbias, target);
  },
};

function broadcastShape(shape: readonly number[]): number[] {
  return shape.map((extent, axis) => (axis === 1 ? extent : 1));
}
