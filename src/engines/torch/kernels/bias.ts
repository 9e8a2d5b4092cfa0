import { required } from '../../../graph/graph.js';
import { emitChannelSum } from './channel-sum.js';
import type { Kernel } from './kernel.js';

export const bias: Kernel<'bias'> = {
  emit(node, emitter) {
    const [x, offset] = node.inputs;
    const y = required(node.outputs, 0, node.name);
    if (!x || !offset) throw new Error(`'${node.name}' lacks inputs`);
    const shape = x.shape.map((extent, axis) => (axis === 1 ? extent : 1));
    const stretched = emitter.castTo(emitter.reshape(emitter.slot(offset), shape), offset.dtype, x.dtype, {
      shape,
    });
    emitter.define(y, emitter.addScaled(emitter.slot(x), stretched, 1, y));
  },
};

export const biasBackward: Kernel<'biasBackward'> = {
  emit(node, emitter) {
    const [dy] = node.inputs;
    const dbias = required(node.outputs, 0, node.name);
    if (!dy) throw new Error(`'${node.name}' lacks inputs`);
    emitter.define(dbias, emitChannelSum(emitter, emitter.slot(dy), dy, dbias));
  },
};
