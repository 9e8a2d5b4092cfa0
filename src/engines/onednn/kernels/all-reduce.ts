import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required } from '../../../graph/graph.js';
import type { NodeOf } from '../../../graph/ops/index.js';
import type { Emitter } from '../emitter.js';
import { settleGradients, stretchOf } from './flat-chunks.js';
import type { Kernel } from './kernel.js';

/** One sum over the whole flat buffer: every gradient lies there, in the same place at each replica. */
export const allReduceGradients: Kernel<'allReduceGradients'> = {
  prepare: designate,
  emit(node, emitter) {
    settleGradients(node.inputs, emitter);
    emitWhole(node, emitter);
    defineInPlace(node, emitter);
  },
};

/** The sum over a stretch of it, beside the steps that follow. */
export const beginAllReduce: Kernel<'beginAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const { state } = emitter;
    const background = emitter.communicator?.background;
    settleGradients(node.inputs, emitter);
    if (background) {
      emitCall(node, emitter, () => {
        const gradients = state.range('gradient', stretchOf(emitter, node.inputs));
        return () => background.begin(gradients);
      });
      emitter.between = () => background.progress();
    }
    defineInPlace(node, emitter);
  },
};

/** Where nothing goes on beside, all of it is left for here. */
export const finishAllReduce: Kernel<'finishAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const background = emitter.communicator?.background;
    if (background) emitCall(node, emitter, () => () => background.finish());
    else emitWhole(node, emitter);
    defineInPlace(node, emitter);
  },
};

type AnySum = NodeOf<'allReduceGradients' | 'beginAllReduce' | 'finishAllReduce'>;

function designate(node: AnySum, emitter: Emitter): void {
  for (const [parameter, gradient, index] of gradientPairs(node.inputs)) {
    emitter.designateGradient(parameter, gradient);
    emitter.designateGradient(parameter, required(node.outputs, index, node.name));
  }
}

function defineInPlace(node: AnySum, emitter: Emitter): void {
  const { state } = emitter;
  for (const [{ name }, , index] of gradientPairs(node.inputs)) {
    emitter.define(required(node.outputs, index, node.name), state.tensor(state.slot(name), 'gradient'));
  }
}

function emitWhole(node: AnySum, emitter: Emitter): void {
  const { communicator, state } = emitter;
  if (!communicator) return;
  emitCall(node, emitter, () => {
    const gradients = state.range('gradient');
    return () => communicator.allReduce(gradients);
  });
}

/** Late, when the flat buffer is there; a step that names no tensor would otherwise count as constant. */
function emitCall({ name }: AnySum, emitter: Emitter, make: () => () => void): void {
  emitter.emitLate(() => [{ kind: 'host', name, reads: [], writes: [], run: make() }]);
}
