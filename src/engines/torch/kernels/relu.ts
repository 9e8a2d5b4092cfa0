import { required, type Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { type Slot, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const relu: Kernel<'relu'> = {
  emit(node, emitter) {
    const y = required(node.outputs, 0, node.name);
    const x = emitter.input(node, 0);
    const over = emitter.mayOverwrite(x);
    emitter.define(y, over ? emitter.callInPlace('relu_', x) : emitter.call1('relu', [tensor(x)], y));
  },
};

export const reluBackward: Kernel<'reluBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    emitter.define(dx, emitReluBackward(emitter, emitter.input(node, 0), emitter.input(node, 1), dx));
  },
};

/**
 * dy where the result y was above 0, else 0, as sign(y) dy: `threshold_backward` takes a scalar, which the ABI cannot
 * hand over, and these two passes are no slower.
 */
export function emitReluBackward(emitter: Emitter, dy: Slot, y: Slot, like: Value): Slot {
  const passed = emitter.mayOverwrite(y)
    ? emitter.callInPlace('sign_', y)
    : emitter.call1('sign', [tensor(y)], like);
  return emitter.callInPlace('mul_', passed, [tensor(dy)], 'Tensor');
}
