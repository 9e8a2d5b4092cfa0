import { required } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const logSoftmax: Kernel<'logSoftmax'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    const x = emitter.plain(emitter.input(node, 0), node.name);
    const descriptor = forward(emitter, node.name, x);
    const destination = emitter.allocateFor(y, x.descriptor);
    emitter.emit(node.name, descriptor, [[arg.source, x]], [[arg.destination, destination]]);
    emitter.define(y, destination);
  },
};

export const logSoftmaxBackward: Kernel<'logSoftmaxBackward'> = {
  emit(node, emitter) {
    const { name } = node;
    const dx = required(node.outputs, 0, name);
    const y = emitter.input(node, 1);
    const dy = emitter.convert(emitter.input(node, 0), y.descriptor, name);
    const { handle } = y.descriptor;
    const descriptor = emitter.primitive(
      name,
      'dnnl_softmax_backward_primitive_desc_create',
      emitter.runtime.engine,
      algorithm.logSoftmax,
      handle,
      handle,
      handle,
      1,
      forward(emitter, name, y),
      emitter.attributes(),
    );
    const target = emitter.allocateFor(dx, y.descriptor);
    const reads = [
      [arg.destination, y],
      [arg.diffDestination, dy],
    ] as const;
    emitter.emit(name, descriptor, reads, [[arg.diffSource, target]]);
    emitter.define(dx, target);
  },
};

function forward(emitter: Emitter, name: string, x: Tensor): Handle {
  return emitter.primitive(
    name,
    'dnnl_softmax_forward_primitive_desc_create',
    emitter.runtime.engine,
    emitter.trains ? prop.training : prop.inference,
    algorithm.logSoftmax,
    x.descriptor.handle,
    x.descriptor.handle,
    1,
    emitter.attributes(),
  );
}
