import { required } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const relu: Kernel<'relu'> = {
  emit(node, compiler) {
    const x = compiler.input(node, 0);
    const y = required(node.outputs, 0, node.name);
    const descriptor = forward(compiler, node.name, x);
    const destination = compiler.mayOverwrite(x) ? x : compiler.allocateFor(y, x.descriptor);
    compiler.emit(node.name, descriptor, [[arg.source, x]], [[arg.destination, destination]]);
    compiler.define(y, destination);
  },
};

export const reluBackward: Kernel<'reluBackward'> = {
  emit(node, compiler) {
    const { name } = node;
    const dx = required(node.outputs, 0, name);
    const y = compiler.input(node, 1);
    const dy = compiler.convert(compiler.input(node, 0), y.descriptor, name);
    const { handle } = y.descriptor;
    const descriptor = compiler.primitive(
      name,
      'dnnl_eltwise_backward_primitive_desc_create',
      compiler.runtime.engine,
      algorithm.reluByResult,
      handle,
      handle,
      handle,
      0,
      0,
      forward(compiler, name, y, algorithm.reluByResult),
      compiler.attributes(),
    );
    const target = compiler.mayOverwrite(dy) ? dy : compiler.allocateFor(dx, y.descriptor);
    const reads = [
      [arg.destination, y],
      [arg.diffDestination, dy],
    ] as const;
    compiler.emit(name, descriptor, reads, [[arg.diffSource, target]]);
    compiler.define(dx, target);
  },
};

function forward(compiler: Compiler, name: string, x: Tensor, kind: number = algorithm.relu): Handle {
  return compiler.primitive(
    name,
    'dnnl_eltwise_forward_primitive_desc_create',
    compiler.runtime.engine,
    compiler.trains ? prop.training : prop.inference,
    kind,
    x.descriptor.handle,
    x.descriptor.handle,
    0,
    0,
    compiler.attributes(),
  );
}
