import { required, type Value } from '../../../graph/graph.js';
import type { OptimizerSlot } from '../../engine.js';
import type { Emitter } from '../emitter.js';
import { flag, float, type HostInputs, none, tensors } from '../step.js';
import type { Kernel } from './kernel.js';

export const sgd: Kernel<'sgd'> = {
  prepare: (node, emitter) => designateGradients(node.inputs.slice(3), emitter, ['momentum']),
  emit(node, emitter) {
    const [rate, momentum, decay] = node.inputs;
    const parameters = settle(node.inputs.slice(3), emitter);
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
    const parameters = settle(node.inputs.slice(5), emitter);
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
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [parameter, gradient] = [pairs[index], pairs[index + 1]];
    if (parameter && gradient) emitter.designateGradient(parameter, gradient);
  }
}

/** Sees that every gradient is in its place. @returns the parameters */
function settle(pairs: readonly Value[], emitter: Emitter): Value[] {
  const parameters: Value[] = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [parameter, gradient] = [pairs[index], pairs[index + 1]];
    if (!parameter || !gradient) continue;
    emitter.settleGradient(parameter, gradient);
    parameters.push(parameter);
  }
  return parameters;
}

function number(value: Value | undefined): ReturnType<typeof float> {
  return float((inputs) => scalar(inputs, value));
}

function scalar(inputs: HostInputs, value: Value | undefined): number {
  const { name } = required([value], 0, 'the optimizer');
  return required([inputs[name]?.[0]], 0, name);
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
