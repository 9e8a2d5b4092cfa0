import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const add: Kernel<'add'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    emitter.define(y, emitter.addScaled(emitter.input(node, 0), emitter.input(node, 1), 1, y));
  },
};
