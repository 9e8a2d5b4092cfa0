import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const cast: Kernel<'cast'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    emitter.define(y, emitter.cast(emitter.input(node, 0), y.dtype, y));
  },
};
