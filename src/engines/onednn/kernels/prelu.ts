import { elements, required } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import { arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const prelu: Kernel<'prelu'> = {
  emit(node, compiler) {
    const x = compiler.input(node, 0);
    const y = required(node.outputs, 0, node.name);
    const slope = broadcast(compiler, compiler.input(node, 1), x);
    const descriptor = forward(compiler, node.name, x, slope);
    const destination = compiler.allocateFor(y, x.descriptor);
    const reads = [
      [arg.source, x],
      [arg.weights, slope],
    ] as const;
    compiler.emit(node.name, descriptor, reads, [[arg.destination, destination]]);
    compiler.define(y, destination);
  },
};

export const preluBackward: Kernel<'preluBackward'> = {
  emit(node, compiler) {
    const { name } = node;
    const [dx, dslope] = node.outputs;
    if (!dx || !dslope) throw new Error(`'${name}' lacks outputs`);
    const x = compiler.input(node, 1);
    const slope = broadcast(compiler, compiler.input(node, 2), x);
    const dy = compiler.convert(compiler.input(node, 0), x.descriptor, name);
    const descriptor = compiler.primitive(
      name,
      'dnnl_prelu_backward_primitive_desc_create',
      compiler.runtime.engine,
      x.descriptor.handle,
      slope.descriptor.handle,
      x.descriptor.handle,
      slope.descriptor.handle,
      x.descriptor.handle,
      forward(compiler, name, x, slope),
      compiler.attributes(),
    );
    const dxTensor = compiler.allocateFor(dx, x.descriptor);
    const plain = compiler.descriptors.plain(dslope.shape, 'f32');
    const dslopeTensor = compiler.allocateFor(dslope, plain);
    const reads = [
      [arg.source, x],
      [arg.weights, slope],
      [arg.diffDestination, dy],
    ] as const;
    const writes = [
      [arg.diffSource, dxTensor],
      [arg.diffWeights, compiler.reinterpret(dslopeTensor, slope.descriptor)],
    ] as const;
    compiler.emit(name, descriptor, reads, writes);
    compiler.define(dx, dxTensor);
    compiler.define(dslope, dslopeTensor);
  },
};

/** The slopes under the shape that oneDNN stretches over x. */
function broadcast(compiler: Compiler, slope: Tensor, x: Tensor): Tensor {
  const shape = x.descriptor.shape.map((_, axis) => (axis === 1 ? elements(slope.descriptor) : 1));
  return compiler.reinterpret(slope, compiler.descriptors.plain(shape, 'f32'));
}

function forward(compiler: Compiler, name: string, x: Tensor, slope: Tensor): Handle {
  return compiler.primitive(
    name,
    'dnnl_prelu_forward_primitive_desc_create',
    compiler.runtime.engine,
    compiler.trains ? prop.training : prop.inference,
    x.descriptor.handle,
    slope.descriptor.handle,
    x.descriptor.handle,
    compiler.attributes(),
  );
}
