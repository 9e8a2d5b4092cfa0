import { elements, required } from '../../../graph/graph.js';
import { algorithm, arg } from '../ffi.js';
import type { Kernel } from './kernel.js';

export const bias: Kernel<'bias'> = {
  emit(node, compiler) {
    const { name } = node;
    const y = required(node.outputs, 0, name);
    const x = compiler.input(node, 0);
    const channels = broadcastShape(x.descriptor.shape);
    const offset = compiler.reinterpret(compiler.input(node, 1), compiler.descriptors.plain(channels, 'f32'));
    const descriptor = compiler.primitive(
      name,
      'dnnl_binary_primitive_desc_create',
      compiler.runtime.engine,
      algorithm.add,
      x.descriptor.handle,
      offset.descriptor.handle,
      x.descriptor.handle,
      compiler.attributes(),
    );
    const target = compiler.mayOverwrite(x) ? x : compiler.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.source1, offset],
    ] as const;
    compiler.emit(name, descriptor, reads, [[arg.destination, target]]);
    compiler.define(y, target);
  },
};

export const biasBackward: Kernel<'biasBackward'> = {
  emit(node, compiler) {
    const { name } = node;
    const dbias = required(node.outputs, 0, name);
    const dy = compiler.input(node, 0);
    const target = compiler.allocateFor(dbias, compiler.descriptors.plain(dbias.shape, 'f32'));
    const reduced = compiler.descriptors.plain(broadcastShape(dy.descriptor.shape), 'f32');
    if (elements(dy.descriptor) === elements(dbias)) {
      // oneDNN refuses a reduction that reduces nothing
      compiler.reorder(dy, compiler.reinterpret(target, reduced), name);
      compiler.define(dbias, target);
      return;
    }
    const descriptor = compiler.primitive(
      name,
      'dnnl_reduction_primitive_desc_create',
      compiler.runtime.engine,
      algorithm.reductionSum,
      dy.descriptor.handle,
      reduced.handle,
      0,
      0,
      compiler.attributes(),
    );
    const written = compiler.reinterpret(target, reduced);
    compiler.emit(name, descriptor, [[arg.source, dy]], [[arg.destination, written]]);
    compiler.define(dbias, target);
  },
};

function broadcastShape(shape: readonly number[]): number[] {
  return shape.map((extent, axis) => (axis === 1 ? extent : 1));
}
