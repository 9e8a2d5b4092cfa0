import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required } from '../../../graph/graph.js';
import { settleGradients } from './flat-gradients.js';
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
    const { communicator } = emitter;
    const parameters = settleGradients(node.inputs, emitter);
    const flat = emitter.flatSlot('gradient');
    if (communicator) {
      const run = (): void => emitter.tensors.allReduce(flat.handle, communicator);
      emitter.direct({ reads: [flat], makes: [], run });
    }
    parameters.forEach(({ name }, index) => {
      emitter.define(required(node.outputs, index, node.name), emitter.stateSlot(name, 'gradient'));
    });
  },
};
