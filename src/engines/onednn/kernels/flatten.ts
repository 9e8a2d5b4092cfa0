import { required } from '../../../graph/graph.js';
import type { ElementType } from '../descriptor.js';
import type { Emitter } from '../emitter.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

/** Channels a block of any blocked layout here: at 1x1 pixels with whole blocks the bytes are those of plain order. */
const wholeBlock = 16;

export const flatten: Kernel<'flatten'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    const x = emitter.input(node, 0);
    const plain = isFlatAlready(x.descriptor.shape) ? x : emitter.plain(x, node.name);
    emitter.define(y, emitter.reinterpret(plain, emitter.descriptors.plain(y.shape, x.descriptor.type)));
  },
};

export const flattenBackward: Kernel<'flattenBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const dy: Tensor = emitter.plain(emitter.input(node, 0), node.name);
    emitter.define(dx, emitter.reinterpret(dy, unflattened(emitter, dx.shape, dy.descriptor.type)));
  },
};

function unflattened(emitter: Emitter, shape: readonly number[], type: ElementType): Tensor['descriptor'] {
  return isFlatAlready(shape) && emitter.layout !== 'any'
    ? emitter.activation(shape, type)
    : emitter.descriptors.plain(shape, type);
}

function isFlatAlready([, channels = 0, height, width]: readonly number[]): boolean {
  return height === 1 && width === 1 && channels % wholeBlock === 0;
}
