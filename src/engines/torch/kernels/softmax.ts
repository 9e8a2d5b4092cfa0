import { required } from '../../../graph/graph.js';
import { flag, int, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const logSoftmax: Kernel<'logSoftmax'> = {
  emit(node, emitter) {
    const [x] = node.inputs;
    const y = required(node.outputs, 0, node.name);
    if (!x) throw new Error(`'${node.name}' lacks inputs`);
    const typed = emitter.castTo(emitter.slot(x), x.dtype, y.dtype, y);
    emitter.define(y, emitter.call1('_log_softmax', [tensor(typed), int(1), flag(false)], y));
  },
};

export const logSoftmaxBackward: Kernel<'logSoftmaxBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    const code = int(emitter.tensors.code(dx.dtype));
    const args = [tensor(emitter.input(node, 0)), tensor(emitter.input(node, 1)), int(1), code];
    emitter.define(dx, emitter.call1('_log_softmax_backward_data', args, dx));
  },
};
