import { required, type Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { none, type Slot, some, tensor } from '../step.js';
import { emitChannelSum } from './channel-sum.js';
import type { Kernel } from './kernel.js';

export const linear: Kernel<'linear'> = {
  emit(node, emitter) {
    const [x, weight, bias] = node.inputs;
    const y = required(node.outputs, 0, node.name);
    if (!x || !weight) throw new Error(`'${node.name}' lacks inputs`);
    const offset = bias && emitter.castTo(emitter.slot(bias), bias.dtype, x.dtype, bias);
    const args = [
      tensor(emitter.slot(x)),
      tensor(matrix(emitter, weight)),
      offset ? some(tensor(offset)) : none,
    ];
    emitter.define(y, emitter.call1('linear', args, y));
  },
};

export const linearBackwardInput: Kernel<'linearBackwardInput'> = {
  emit(node, emitter) {
    const [dy, weight] = node.inputs;
    const dx = required(node.outputs, 0, node.name);
    if (!dy || !weight) throw new Error(`'${node.name}' lacks inputs`);
    const args = [tensor(emitter.slot(dy)), tensor(matrix(emitter, weight))];
    emitter.define(dx, emitter.call1('mm', args, dx));
  },
};

export const linearBackwardWeight: Kernel<'linearBackwardWeight'> = {
  emit(node, emitter) {
    const [dy, x] = node.inputs;
    const [dweight, dbias] = node.outputs;
    if (!dy || !x || !dweight) throw new Error(`'${node.name}' lacks inputs or outputs`);
    const gradient = emitter.slot(dy);
    const turned = emitter.callView('t', gradient, []);
    const product = emitter.call1('mm', [tensor(turned), tensor(emitter.slot(x))], {
      ...dweight,
      dtype: dy.dtype,
    });
    const typed = emitter.castTo(product, dy.dtype, dweight.dtype, dweight);
    emitter.define(dweight, emitter.reshape(typed, dweight.shape));
    if (dbias) emitter.define(dbias, emitChannelSum(emitter, gradient, dy, dbias));
  },
};

/** The weight as a matrix: some keep it as the kernel of a 1x1 convolution. */
function matrix(emitter: Emitter, weight: Value): Slot {
  const slot = emitter.slot(weight);
  return weight.shape.length === 2 ? slot : emitter.reshape(slot, weight.shape.slice(0, 2));
}
