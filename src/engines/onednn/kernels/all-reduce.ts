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
    const { communicator, state } = emitter;
    for (const [, gradient] of triples(node)) emitter.settle(gradient);
    if (communicator) {
      const { name } = node;
      emitter.emitLate(() => {
        const gradients = state.range('gradient');
        return [{ kind: 'host', name, reads: [], writes: [], run: () => communicator.allReduce(gradients) }];
      });
    }
    for (const [parameter, , sum] of triples(node)) {
      emitter.define(sum, state.tensor(state.slot(parameter.name), 'gradient'));
    }
  },
};

function triples({
  inputs,
  outputs,
}: {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}): Array<[parameter: Value, gradient: Value, sum: Value]> {
  return outputs.flatMap((sum, index) => {
    const [parameter, gradient] = [inputs[2 * index], inputs[2 * index + 1]];
    return parameter && gradient ? [[parameter, gradient, sum]] : [];
  });
}
