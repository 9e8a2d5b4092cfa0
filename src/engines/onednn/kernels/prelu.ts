import { elements, required } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { arg, type Handle, prop } from '../ffi.js';
import { channelVector } from '../layout.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const prelu: Kernel<'prelu'> = {
  emit(node, emitter) {
    const x = emitter.input(node, 0);
    const y = required(node.outputs, 0, node.name);
    const slope = slopeOfEach(emitter, emitter.input(node, 1), x, node.name);
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
    const slope = slopeOfEach(emitter, emitter.input(node, 2), x, name);
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
    const shared = elements(dslope) < elements(slope.descriptor);
    const each = shared
      ? emitter.allocate(slope.descriptor)
      : emitter.reinterpret(dslopeTensor, slope.descriptor);
    const reads = [
      [arg.source, x],
      [arg.weights, slope],
      [arg.diffDestination, dy],
    ] as const;
    const writes = [
      [arg.diffSource, dxTensor],
      [arg.diffWeights, each],
    ] as const;
    emitter.emit(name, descriptor, reads, writes);
    if (shared) {
      emitter.emitHost({
        name: `${name}.sum`,
        reads: [each],
        writes: [dslopeTensor],
        run: (views) => {
          views.floats(1)[0] = views.floats(0).reduce((sum, value) => sum + value, 0);
        },
      });
    }
    emitter.define(dx, dxTensor);
    emitter.define(dslope, dslopeTensor);
  },
};

/** One slope for each channel of x: where all share one, oneDNN would fall back to a reference loop that is many times slower. */
function slopeOfEach(emitter: Emitter, slope: Tensor, x: Tensor, name: string): Tensor {
  const vector = channelVector(emitter.descriptors, x.descriptor);
  if (elements(slope.descriptor) === elements(vector)) return emitter.reinterpret(slope, vector);
  const each = emitter.allocate(vector);
  emitter.emitHost({
    name: `${name}.slopes`,
    reads: [slope],
    writes: [each],
    run: (views) => void views.floats(1).fill(views.floats(0)[0] as number),
  });
  return each;
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
