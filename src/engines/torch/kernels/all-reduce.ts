import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required } from '../../../graph/graph.js';
import type { NodeOf } from '../../../graph/ops/index.js';
import type { Emitter } from '../emitter.js';
import { settleGradients } from './flat-gradients.js';
import type { Kernel } from './kernel.js';

/** One sum over the whole flat buffer: every gradient lies there, in the same place at each replica. */
export const allReduceGradients: Kernel<'allReduceGradients'> = {
  prepare: designate,
  emit(node, emitter) {
    const { communicator } = emitter;
    settleGradients(node.inputs, emitter);
    const flat = emitter.flatSlot('gradient');
    if (communicator) {
      const run = (): void => emitter.tensors.allReduce(flat.handle, communicator);
      emitter.direct({ reads: [flat], makes: [], run });
    }
    defineInPlace(node, emitter);
  },
};

/** The sum over a stretch of it, beside the steps that follow. */
export const beginAllReduce: Kernel<'beginAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const { communicator, tensors } = emitter;
    const stretch = emitter.rangeSlot(settleGradients(node.inputs, emitter), 'gradient');
    if (communicator) {
      const run = (): void => tensors.beginAllReduce(stretch.handle, communicator);
      emitter.direct({ reads: [stretch], makes: [], run });
      emitter.between = () => communicator.background?.progress();
    }
    defineInPlace(node, emitter);
  },
};

export const finishAllReduce: Kernel<'finishAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const background = emitter.communicator?.background;
    const flat = emitter.flatSlot('gradient');
    if (background) emitter.direct({ reads: [flat], makes: [], run: () => background.finish() });
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
  for (const [{ name }, , index] of gradientPairs(node.inputs)) {
    emitter.define(required(node.outputs, index, node.name), emitter.stateSlot(name, 'gradient'));
  }
}
