import type { Value } from '../../../graph/graph.js';
import type { Kernel } from './kernel.js';

/** One sum over the whole flat buffer: every gradient lies there, in the same place at each replica. */
export const allReduceGradients: Kernel<'allReduceGradients'> = {
  prepare(node, emitter) {
    for (const [parameter, gradient, sum] of triples(node)) {
      emitter.designateGradient(parameter, gradient);
      emitter.designateGradient(parameter, sum);
    }
  },
  emit(node, emitter) {
    const { communicator } = emitter;
    for (const [parameter, gradient] of triples(node)) emitter.settleGradient(parameter, gradient);
    const flat = emitter.flatSlot('gradient');
    if (communicator) {
      emitter.onHost([flat], () => emitter.tensors.allReduce(flat.handle, communicator));
    }
    for (const [parameter, , sum] of triples(node)) {
      emitter.define(sum, emitter.stateSlot(parameter.name, 'gradient'));
    }
  },
};

type Triple = [parameter: Value, gradient: Value, sum: Value];

function triples(node: { readonly inputs: readonly Value[]; readonly outputs: readonly Value[] }): Triple[] {
  return node.outputs.flatMap((sum, index): Triple[] => {
    const [parameter, gradient] = [node.inputs[2 * index], node.inputs[2 * index + 1]];
    return parameter && gradient ? [[parameter, gradient, sum]] : [];
  });
}
