import { required } from '../../../graph/graph.js';
import { algorithm, arg } from '../ffi.js';
import type { Kernel } from './kernel.js';

export const add: Kernel<'add'> = {
  emit(node, emitter) {
    const { name } = node;
    const sum = required(node.outputs, 0, name);
    const a = emitter.input(node, 0);
    const b = emitter.convert(emitter.input(node, 1), a.descriptor, name);
    const { handle } = a.descriptor;
    const descriptor = emitter.primitive(
      name,
      'dnnl_binary_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.add,
      handle,
      handle,
      handle,
      emitter.attributes(),
    );
    const spent = [a, b].find((tensor) => emitter.mayOverwrite(tensor));
    const target = spent ?? emitter.allocateFor(sum, a.descriptor);
    const reads = [
      [arg.source, a],
      [arg.source1, b],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.destination, target]]);
    emitter.define(sum, target);
  },
};
