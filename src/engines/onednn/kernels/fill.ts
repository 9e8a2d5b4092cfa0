import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const fill: Kernel<'fill'> = {
  emit(node, emitter) {
    const output = required(node.outputs, 0, node.name);
    const { value } = node.attributes;
    const target = emitter.allocate(emitter.descriptors.plain(output.shape, 'f32'));
    emitter.emitHost({
      name: node.name,
      reads: [],
      writes: [target],
      run: (views) => views.floats(0).fill(value),
    });
    emitter.define(output, target);
  },
};
