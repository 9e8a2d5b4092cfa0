import { gradientPairs } from '../../../graph/gradient-pairs.js';
import type { Value } from '../../../graph/graph.js';
import type { OptimizerSlot } from '../../engine.js';
import type { Emitter } from '../emitter.js';
import { flag, float, none, scalar, tensors } from '../step.js';
import { settleGradients } from './flat-gradients.js';
import type { Kernel } from './kernel.js';

export const sgd: Kernel<'sgd'> = {
  prepare: (node, emitter) => designateGradients(node.inputs.slice(3), emitter, ['momentum']),
  emit(node, emitter) {
    const [rate, momentum, decay] = node.inputs;
    const parameters = settleGradients(node.inputs.slice(3), emitter);
    const range = (flat: 'parameter' | 'gradient' | OptimizerSlot) =>
      tensors(emitter.rangeSlot(parameters, flat));
    emitter.callVoid('_fused_sgd_', [
      range('parameter'),
      range('gradient'),
      // without momentum it keeps nothing, and insists on that
      {
        kind: 'tensors',
        slots: [emitter.rangeSlot(parameters, 'momentum')],
        when: (inputs) => scalar(inputs, momentum) !== 0,
      },
      number(decay),
      number(momentum),
      number(rate),
      float(0),
      flag(node.attributes.nesterov),
      flag(false),
      flag(false),
      none,
      none,
    ]);
  },
};

export const adam: Kernel<'adam'> = {
  prepare: (node, emitter) => designateGradients(node.inputs.slice(5), emitter, ['exp_avg', 'exp_avg_sq']),
  emit(node, emitter) {
    const { beta2, epsilon, decoupled } = node.attributes;
    const [rate, beta1, correction1, correction2, decay] = node.inputs;
    const parameters = settleGradients(node.inputs.slice(5), emitter);
    const range = (flat: 'parameter' | 'gradient' | OptimizerSlot) =>
      tensors(emitter.rangeSlot(parameters, flat));
    const step = emitter.upload([], 'f32', (inputs) => {
      const corrections = [correction1, correction2].map((value) => scalar(inputs, value));
      return Float32Array.of(stepOf(corrections, [scalar(inputs, beta1), beta2]));
    });
    emitter.callVoid(decoupled ? '_fused_adamw_' : '_fused_adam_', [
      range('parameter'),
      range('gradient'),
      range('exp_avg'),
      range('exp_avg_sq'),
      tensors(),
      tensors(step),
      number(rate),
      number(beta1),
      float(beta2),
      number(decay),
      float(epsilon),
      flag(false),
      flag(false),
      none,
      none,
    ]);
  },
};

/** Sends every gradient to its place in the flat buffer. */
function designateGradients(
  pairs: readonly Value[],
  emitter: Emitter,
  slots: readonly OptimizerSlot[],
): void {
  for (const slot of slots) emitter.flatSlot(slot);
  for (const [parameter, gradient] of gradientPairs(pairs)) emitter.designateGradient(parameter, gradient);
}

function number(value: Value | undefined): ReturnType<typeof float> {
  return float((inputs) => scalar(inputs, value));
}

/**
 * The step that bias corrections 1 - beta^t belong to: LibTorch counts for itself. Of the two, that one tells it better
 * which changes more from step to step; an error in it changes the other by less still.
 */
export function stepOf(corrections: readonly number[], betas: readonly number[]): number {
  let [best, step] = [0, 0];
  betas.forEach((beta, index) => {
    const rest = 1 - (corrections[index] ?? 1);
    const change = beta > 0 ? -rest * Math.log(beta) : 0;
    if (change > best) [best, step] = [change, Math.log(rest) / Math.log(beta)];
  });
  // no digit is left of either: late enough that none is
  if (best === 0) step = Math.max(0, ...betas.map((beta) => (beta > 0 ? -17 / Math.log(beta) : 0)));
  return Math.max(1, Math.round(step));
}
