import { required } from '../../../graph/graph.js';
import { elementType } from '../descriptor.js';
import type { Kernel } from './kernel.js';

/**
 * Into half precision: done by the reader, whose reorder into its own layout does it at no further cost.
 * Out of it: a reorder into the graph's layout.
 */
export const cast: Kernel<'cast'> = {
  emit(node, emitter) {
    const { name } = node;
    const [from, to] = [required(node.inputs, 0, name), required(node.outputs, 0, name)];
    if (to.dtype !== 'f32') {
      emitter.defineCast(to, from);
      return;
    }
    const type = elementType(from.dtype);
    const x = emitter.tensor(from);
    // rounded first, where nobody has done it yet
    const half =
      x.descriptor.type === type ? x : emitter.convert(x, emitter.blockedOrPlain(to.shape, type), name);
    const target = emitter.allocateFor(to, emitter.blockedOrPlain(to.shape, 'f32'));
    emitter.reorder(half, target, name);
    emitter.define(to, target);
  },
};
