import { required } from '../../../graph/graph.js';
import type { Compiler } from '../compiler.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

/** Channels a block of any blocked layout here: at 1x1 pixels with whole blocks the bytes are those of plain order. */
const wholeBlock = 16;

export const flatten: Kernel<'flatten'> = {
  emit(node, compiler) {
    const y = required(node.outputs, 0, node.name);
    const x = compiler.input(node, 0);
    const plain = isFlatAlready(x.descriptor.shape) ? x : compiler.plain(x, node.name);
    compiler.define(y, compiler.reinterpret(plain, compiler.descriptors.plain(y.shape, 'f32')));
  },
};

export const flattenBackward: Kernel<'flattenBackward'> = {
  emit(node, compiler) {
    const dx = required(node.outputs, 0, node.name);
    const dy: Tensor = compiler.plain(compiler.input(node, 0), node.name);
    compiler.define(dx, compiler.reinterpret(dy, unflattened(compiler, dx.shape)));
  },
};

function unflattened(compiler: Compiler, shape: readonly number[]): Tensor['descriptor'] {
  return isFlatAlready(shape) && compiler.layout !== 'any'
    ? compiler.activation(shape)
    : compiler.descriptors.plain(shape, 'f32');
}

function isFlatAlready([, channels = 0, height, width]: readonly number[]): boolean {
  return height === 1 && width === 1 && channels % wholeBlock === 0;
}
