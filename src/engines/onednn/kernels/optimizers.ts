import { gradientPairs } from '../../../graph/gradient-pairs.js';
import type { Value } from '../../../graph/graph.js';
import type { OptimizerSlot } from '../../engine.js';
import type { Emitter } from '../emitter.js';
import { algorithm } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import { binary, chunk, chunks, scalar, settleGradients } from './flat-chunks.js';
import type { Kernel } from './kernel.js';

export const sgd: Kernel<'sgd'> = {
  prepare: (node, emitter) => setGradientsAside(node.inputs.slice(3), emitter, ['momentum']),
  emit(node, emitter) {
    const { name } = node;
    const [rate, momentum, decay] = [0, 1, 2].map((index) => emitter.input(node, index));
    if (!rate || !momentum || !decay) throw new Error(`'${name}' lacks its scalars`);
    settleGradients(node.inputs.slice(3), emitter);
    const negativeRate = scalar(emitter, `${name}.negativeRate`, [rate], ([value = 0]) => -value);
    const sum = { sum: 1 };
    const work = emitter.allocate(emitter.descriptors.plain([1, chunk], 'f32'));
    emitter.emitLate(() =>
      chunks(emitter, node.inputs.slice(3), (at) => {
        const [parameter, gradient, velocity] = [at('parameter'), at('gradient'), at('momentum')];
        const direction = within(work, parameter);
        return [
          // d = g + decay p
          binary(emitter, name, algorithm.multiply, parameter, decay, direction, { add: gradient }),
          // v = momentum v + d
          binary(emitter, name, algorithm.multiply, velocity, momentum, velocity, { add: direction }),
          ...(node.attributes.nesterov
            ? [
                // d += momentum v; p -= rate d
                binary(emitter, name, algorithm.multiply, velocity, momentum, direction, sum),
                binary(emitter, name, algorithm.multiply, direction, negativeRate, parameter, sum),
              ]
            : [binary(emitter, name, algorithm.multiply, velocity, negativeRate, parameter, sum)]),
        ];
      }),
    );
  },
};

export const adam: Kernel<'adam'> = {
  prepare: (node, emitter) => setGradientsAside(node.inputs.slice(5), emitter, ['exp_avg', 'exp_avg_sq']),
  emit(node, emitter) {
    const { name } = node;
    const { beta2, epsilon, decoupled } = node.attributes;
    const scalars = [0, 1, 2, 3, 4].map((index) => emitter.input(node, index));
    const [rate, beta1, correction1, correction2, decay] = scalars;
    if (!rate || !beta1 || !correction1 || !correction2 || !decay) {
      throw new Error(`'${name}' lacks its scalars`);
    }
    settleGradients(node.inputs.slice(5), emitter);
    const step = scalar(emitter, `${name}.step`, [rate, correction1], ([a = 0, b = 1]) => -a / b);
    const shrink = scalar(emitter, `${name}.shrink`, [rate, decay], ([a = 0, b = 0]) => 1 - a * b);
    const unbias = scalar(emitter, `${name}.unbias`, [correction2], ([a = 1]) => 1 / a);
    const work = emitter.allocate(emitter.descriptors.plain([1, chunk], 'f32'));
    const fresh = scalar(emitter, `${name}.fresh`, [beta1], ([a = 0]) => 1 - a);
    emitter.emitLate(() =>
      chunks(emitter, node.inputs.slice(5), (at) => {
        const [parameter, gradient] = [at('parameter'), at('gradient')];
        const [mean, square] = [at('exp_avg'), at('exp_avg_sq')];
        const temporary = within(work, parameter);
        const direction = decoupled ? gradient : temporary;
        return [
          decoupled
            ? binary(emitter, name, algorithm.multiply, parameter, shrink, parameter)
            : binary(emitter, name, algorithm.multiply, parameter, decay, direction, { add: gradient }),
          // s = beta2 s + (1 - beta2) d^2
          binary(emitter, name, algorithm.multiply, direction, direction, square, {
            scale: 1 - beta2,
            sum: beta2,
          }),
          // m = beta1 m + (1 - beta1) d
          binary(emitter, name, algorithm.multiply, direction, fresh, temporary),
          binary(emitter, name, algorithm.multiply, mean, beta1, mean, { add: temporary }),
          // t = sqrt(s / correction2) + epsilon
          binary(emitter, name, algorithm.multiply, square, unbias, temporary, { rootPlus: epsilon }),
          // p -= rate / correction1 * m / t
          binary(emitter, name, algorithm.divide, mean, temporary, parameter, { times: step, sum: 1 }),
        ];
      }),
    );
  },
};

/** Sends every gradient to its place in the flat buffer, in the layout of its parameter. */
function setGradientsAside(pairs: readonly Value[], emitter: Emitter, slots: readonly OptimizerSlot[]): void {
  for (const slot of slots) emitter.state.flat(slot);
  for (const [parameter, gradient] of gradientPairs(pairs)) emitter.designateGradient(parameter, gradient);
}

/** The start of the working memory, as long as a chunk. */
function within(work: Tensor, { descriptor }: Tensor): Tensor {
  return { ...work, descriptor };
}
