import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const flatten: Kernel<'flatten'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    emitter.define(y, emitter.reshape(emitter.input(node, 0), y.shape));
  },
};

export const flattenBackward: Kernel<'flattenBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const pictures = emitter.reshape(emitter.input(node, 0), dx.shape);
    emitter.define(dx, dx.shape.length === 4 ? emitter.channelsLast(pictures) : pictures);
  },
};
