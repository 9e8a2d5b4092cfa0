import { elements, required } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const prelu: Kernel<'prelu'> = {
  emit(node, emitter) {
    const x = emitter.input(node, 0);
    const y = required(node.outputs, 0, node.name);
    const slope = broadcast(emitter, emitter.input(node, 1), x);
    const descriptor = forward(emitter, node.name, x, slope);
    const destination = emitter.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.weights, slope],
    ] as const;
    emitter.emit(node.name, descriptor, reads, [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

export const preluBackward: Kernel<'preluBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const [dx, dslope] = node.outputs;
    if (!dx || !dslope) throw new Error(`'${name}' lacks outputs`);
    const x = emitter.input(node, 1);
    const slope = broadcast(emitter, emitter.input(node, 2), x);
    const dy = emitter.convert(emitter.input(node, 0), x.descriptor, name);
    const descriptor = emitter.primitive(
      name,
      'dnnl_prelu_backward_primitive_desc_create',
      emitter.runtime.engine,
      x.descriptor.handle,
      slope.descriptor.handle,
      x.descriptor.handle,
      slope.descriptor.handle,
      x.descriptor.handle,
      forward(emitter, name, x, slope),
      emitter.attributes(),
    );
    const dxTensor = emitter.allocateFor(dx, x.descriptor);
    const plain = emitter.descriptors.plain(dslope.shape, 'f32');
    const dslopeTensor = emitter.allocateFor(dslope, plain);
    const reads = [
      [arg.source, x],
      [arg.weights, slope],
      [arg.diffDestination, dy],
    ] as const;
    const writes = [
      [arg.diffSource, dxTensor],
      [arg.diffWeights, emitter.reinterpret(dslopeTensor, slope.descriptor)],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    emitter.define(dx, dxTensor);
    emitter.define(dslope, dslopeTensor);
  },
};

/** The slopes under the shape that oneDNN stretches over x. */
function broadcast(emitter: Emitter, slope: Tensor, x: Tensor): Tensor {
  const shape = x.descriptor.shape.map((_, axis) => (axis === 1 ? elements(slope.descriptor) : 1));
  return emitter.reinterpret(slope, emitter.descriptors.plain(shape, 'f32'));
}

function forward(emitter: Emitter, name: string, x: Tensor, slope: Tensor): Handle {
  return emitter.primitive(
    name,
    'dnnl_prelu_forward_primitive_desc_create',
    emitter.runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    x.descriptor.handle,
    slope.descriptor.handle,
    x.descriptor.handle,
    emitter.attributes(),
  );
}
