import { required } from '../../../graph/graph.js';
import { algorithm, arg } from '../ffi.js';
import type { Kernel } from './kernel.js';

export const add: Kernel<'add'> = {
  emit(node, compiler) {
    const { name } = node;
    const sum = required(node.outputs, 0, name);
    const a = compiler.input(node, 0);
    const b = compiler.convert(compiler.input(node, 1), a.descriptor, name);
    const { handle } = a.descriptor;
    const descriptor = compiler.primitive(
      name,
      'dnnl_binary_primitive_desc_create',
      compiler.runtime.engine,
      algorithm.add,
      handle,
      handle,
      handle,
      compiler.attributes(),
    );
    const spent = [a, b].find((tensor) => compiler.mayOverwrite(tensor));
    const target = spent ?? compiler.allocateFor(sum, a.descriptor);
    const reads = [
      [arg.source, a],
      [arg.source1, b],
    ] as const;
    compiler.emit(name, descriptor, reads, [[arg.destination, target]]);
    compiler.define(sum, target);
  },
};
