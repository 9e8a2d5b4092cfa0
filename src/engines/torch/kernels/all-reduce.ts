import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required } from '../../../graph/graph.js';
import type { NodeOf } from '../../../graph/ops/index.js';
import type { BackgroundSums } from '../../../parallel/communicator.js';
import type { Emitter } from '../emitter.js';
import { settleGradients } from './flat-gradients.js';
import type { Kernel } from './kernel.js';

/** One sum over the whole flat buffer: every gradient lies there, in the same place at each replica. */
export const allReduceGradients: Kernel<'allReduceGradients'> = {
  prepare: designate,
  emit(node, emitter) {
    settleGradients(node.inputs, emitter);
    emitWhole(emitter);
    defineInPlace(node, emitter);
  },
};

/** The sum over a stretch of it, beside the steps that follow. */
export const beginAllReduce: Kernel<'beginAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const { tensors } = emitter;
    const background = backgroundOf(emitter);
    const stretch = emitter.rangeSlot(settleGradients(node.inputs, emitter), 'gradient');
    if (background) {
      const run = (): void => background.begin(tensors.floatsOf(stretch.handle));
      emitter.direct({ reads: [stretch], makes: [], run });
      emitter.between = () => background.progress();
    }
    defineInPlace(node, emitter);
  },
};

/** Where nothing goes on beside, all of it is left for here. */
export const finishAllReduce: Kernel<'finishAllReduce'> = {
  prepare: designate,
  emit(node, emitter) {
    const background = backgroundOf(emitter);
    const flat = emitter.flatSlot('gradient');
    if (background) emitter.direct({ reads: [flat], makes: [], run: () => background.finish() });
    else emitWhole(emitter);
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

function emitWhole(emitter: Emitter): void {
  const { communicator, tensors } = emitter;
  const flat = emitter.flatSlot('gradient');
  if (!communicator) return;
  emitter.direct({ reads: [flat], makes: [], run: () => tensors.allReduce(flat.handle, communicator) });
}

/** What goes on beside is memory of the host. */
function backgroundOf({ communicator, tensors }: Emitter): BackgroundSums | undefined {
  return tensors.device.host ? communicator?.background : undefined;
}
