import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required, type Value } from '../../../graph/graph.js';
import { normEpsilon } from '../../../graph/ops/gradients.js';
import type { Emitter } from '../emitter.js';
import { type Slot, scalar, some, tensor, tensors } from '../step.js';
import { settleGradients } from './flat-gradients.js';
import type { Kernel } from './kernel.js';

// All work in place on the flat buffer of gradients, between the backward pass and the optimizer.

const number = { shape: [1] };

export const accumulateGradients: Kernel<'accumulateGradients'> = {
  emit(node, emitter) {
    const [keep, ...pairs] = node.inputs;
    if (!keep) throw new Error(`'${node.name}' lacks inputs`);
    const { tensors: memory } = emitter;
    for (const [parameter, gradient, index] of gradientPairs(pairs)) {
      const [sum, added] = [emitter.stateSlot(parameter.name, 'gradient'), emitter.slot(gradient)];
      emitter.direct({
        reads: [sum, added],
        makes: [],
        run: (inputs) => {
          // overwritten, not multiplied by 0: what was left there may be infinite
          if (scalar(inputs, keep) === 0) memory.copy(sum.handle, added.handle);
          else addTo(emitter, sum, added);
        },
      });
      emitter.define(required(node.outputs, index, node.name), sum);
    }
  },
};

export const unscaleGradients: Kernel<'unscaleGradients'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const [scale, ...pairs] = node.inputs;
    const [found, ...outputs] = node.outputs;
    if (!scale || !found) throw new Error(`'${node.name}' lacks inputs or outputs`);
    const flat = settle(pairs, emitter);
    const inverse = emitter.upload([1], 'f32', (inputs) => Float32Array.of(1 / scalar(inputs, scale)));
    const { tensors: memory } = emitter;
    const flag = emitter.scratch([1]);
    const cleared = { reads: [flag], makes: [], run: () => memory.fill(flag.handle, 0) };
    emitter.direct(cleared);
    emitter.callVoid('_amp_foreach_non_finite_check_and_unscale_', [
      tensors(flat),
      tensor(flag),
      tensor(inverse),
    ]);
    const seen = new Float32Array(1);
    emitter.direct({
      reads: [flag],
      makes: [],
      run: () => memory.download(flag.handle, seen, [1]),
      ends: () => seen[0] !== 0,
    });
    emitter.define(found, flag);
    define(outputs, pairs, emitter);
  },
};

export const clipGradientNorm: Kernel<'clipGradientNorm'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const [, ...pairs] = node.inputs;
    const [norm, ...outputs] = node.outputs;
    if (!norm) throw new Error(`'${node.name}' lacks outputs`);
    const flat = settle(pairs, emitter);
    const squares = emitter.call1('dot', [tensor(flat), tensor(flat)], { shape: [] });
    const length = emitter.reshape(emitter.callInPlace('sqrt_', squares), [1]);
    const longer = emitter.addScaled(length, emitter.constant(normEpsilon), 1, number);
    const ratio = emitter.call1('div', [tensor(emitter.input(node, 0)), tensor(longer)], number, 'Tensor');
    const factor = emitter.call1('minimum', [tensor(ratio), tensor(emitter.constant(1))], number);
    emitter.callInPlace('mul_', flat, [tensor(factor)], 'Tensor');
    emitter.define(norm, length);
    define(outputs, pairs, emitter);
  },
};

export const clipGradientValue: Kernel<'clipGradientValue'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const [limit, ...pairs] = node.inputs;
    if (!limit) throw new Error(`'${node.name}' lacks inputs`);
    const flat = settle(pairs, emitter);
    const lowest = emitter.upload([1], 'f32', (inputs) => Float32Array.of(-scalar(inputs, limit)));
    const bounds = [lowest, emitter.slot(limit)].map((slot) => some(tensor(slot)));
    emitter.callInPlace('clamp_', flat, bounds, 'Tensor');
    define(node.outputs, pairs, emitter);
  },
};

/** Sends every gradient to its place in the flat buffer. */
function setAside([, ...pairs]: readonly Value[], emitter: Emitter): void {
  for (const [parameter, gradient] of gradientPairs(pairs)) emitter.designateGradient(parameter, gradient);
}

/** Sees that every gradient is in its place. @returns the stretch that they cover */
function settle(pairs: readonly Value[], emitter: Emitter): Slot {
  return emitter.rangeSlot(settleGradients(pairs, emitter), 'gradient');
}

/** The results lie where the gradients of their parameters lie. */
function define(outputs: readonly Value[], pairs: readonly Value[], emitter: Emitter): void {
  for (const [parameter, , index] of gradientPairs(pairs)) {
    emitter.define(required(outputs, index, parameter.name), emitter.stateSlot(parameter.name, 'gradient'));
  }
}

/** sum += added; the ABI knows no addition in place, for its scale is a scalar. */
function addTo(emitter: Emitter, sum: Slot, added: Slot): void {
  const { torch } = emitter.tensors;
  const result = torch.create('aoti_torch_aten_subtract_Tensor', sum.handle, added.handle, -1);
  emitter.tensors.copy(sum.handle, result);
  torch.release(result);
}
