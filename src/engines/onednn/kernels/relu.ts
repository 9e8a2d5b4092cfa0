import { required } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const relu: Kernel<'relu'> = {
  emit(node, emitter) {
    const x = emitter.input(node, 0);
    const y = required(node.outputs, 0, node.name);
    const descriptor = forward(emitter, node.name, x);
    const destination = emitter.mayOverwrite(x) ? x : emitter.allocateFor(y, x.descriptor);
    emitter.emit(node.name, descriptor, [[arg.source, x]], [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

export const reluBackward: Kernel<'reluBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const dx = required(node.outputs, 0, name);
    const y = emitter.input(node, 1);
    const dy = emitter.convert(emitter.input(node, 0), y.descriptor, name);
    const { handle } = y.descriptor;
    const descriptor = emitter.primitive(
      name,
      'dnnl_eltwise_backward_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.reluByResult,
      handle,
      handle,
      handle,
      0,
      0,
      forward(emitter, name, y, algorithm.reluByResult),
      emitter.attributes(),
    );
    const target = emitter.mayOverwrite(dy) ? dy : emitter.allocateFor(dx, y.descriptor);
    const reads = [
      [arg.destination, y],
      [arg.diffDestination, dy],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.diffSource, target]]);
    emitter.define(dx, target);
  },
};

function forward(emitter: Emitter, name: string, x: Tensor, kind: number = algorithm.relu): Handle {
  return emitter.primitive(
    name,
    'dnnl_eltwise_forward_primitive_desc_create',
    emitter.runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    kind,
    x.descriptor.handle,
    x.descriptor.handle,
    0,
    0,
    emitter.attributes(),
  );
}
