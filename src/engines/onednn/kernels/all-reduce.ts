import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required } from '../../../graph/graph.js';
import { settleGradients } from './flat-chunks.js';
import type { Kernel } from './kernel.js';

/** One sum over the whole flat buffer: every gradient lies there, in the same place at each replica. */
export const allReduceGradients: Kernel<'allReduceGradients'> = {
  prepare(node, emitter) {
    for (const [parameter, gradient, index] of gradientPairs(node.inputs)) {
      emitter.designateGradient(parameter, gradient);
      emitter.designateGradient(parameter, required(node.outputs, index, node.name));
    }
  },
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
    for (const [{ name }, , index] of gradientPairs(node.inputs)) {
      emitter.define(required(node.outputs, index, node.name), state.tensor(state.slot(name), 'gradient'));
    }
  },
};
