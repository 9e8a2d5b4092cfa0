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
    const { communicator, state } = emitter;
    settleGradients(node.inputs, emitter);
    if (communicator) {
      const { name } = node;
      emitter.emitLate(() => {
        const gradients = state.range('gradient');
        return [{ kind: 'host', name, reads: [], writes: [], run: () => communicator.allReduce(gradients) }];
      });
    }
    defineInPlace(node, emitter);
  },
};

/** The sum over a stretch of it, beside the steps that follow. */
export const beginAllReduce: Kernel<'beginAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const { communicator, state } = emitter;
    const { name, inputs } = node;
    settleGradients(inputs, emitter);
    const background = communicator?.background;
    if (communicator) {
      emitter.emitLate(() => {
        const gradients = state.range('gradient', stretchOf(emitter, inputs));
        const run = (): void =>
          background ? background.begin(gradients) : communicator.allReduce(gradients);
        return [{ kind: 'host', name, reads: [], writes: [], run }];
      });
    }
    if (background) emitter.between = () => background.progress();
    defineInPlace(node, emitter);
  },
};

export const finishAllReduce: Kernel<'finishAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const background = emitter.communicator?.background;
    const { name } = node;
    if (background) {
      emitter.emitLate(() => [{ kind: 'host', name, reads: [], writes: [], run: () => background.finish() }]);
    }
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
