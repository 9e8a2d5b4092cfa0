import { required } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

export const fill: Kernel<'fill'> = {
  emit(node, compiler) {
    const output = required(node.outputs, 0, node.name);
    const { value } = node.attributes;
    const target = compiler.allocate(compiler.descriptors.plain(output.shape, 'f32'));
    compiler.emitHost({
      name: node.name,
      reads: [],
      writes: [target],
      run: (views) => views.floats(0).fill(value),
    });
    compiler.define(output, target);
  },
};
