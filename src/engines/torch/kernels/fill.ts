import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const fill: Kernel<'fill'> = {
  emit(node, emitter) {
    const output = required(node.outputs, 0, node.name);
    emitter.define(output, emitter.constant(node.attributes.value, output.shape, output.dtype));
  },
};
