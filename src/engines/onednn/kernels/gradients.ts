import { gradientPairs } from '../../../graph/gradient-pairs.js';
import { required, type Value } from '../../../graph/graph.js';
import { normEpsilon } from '../../../graph/ops/gradients.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, prop } from '../ffi.js';
import type { Step } from '../step.js';
import type { Tensor } from '../tensor.js';
import { type At, binary, chunk, chunkCount, chunks, scalar, settleGradients, whole } from './flat-chunks.js';
import type { Kernel } from './kernel.js';

// All work in place on the flat buffer of gradients, between the backward pass and the optimizer.

export const accumulateGradients: Kernel<'accumulateGradients'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter, 'microGradient'),
  emit(node, emitter) {
    const { name } = node;
    const pairs = node.inputs.slice(1);
    settleGradients(pairs, emitter);
    const keep = emitter.input(node, 0);
    emitter.emitLate(() => [
      {
        kind: 'host',
        name: `${name}.begin`,
        reads: [keep],
        writes: [whole(emitter, pairs)('gradient')],
        // overwritten, not multiplied by 0: what was left there may be infinite
        run: (views) => (views.floats(0)[0] ? undefined : views.floats(1).fill(0)),
      },
      ...chunks(emitter, pairs, (at) => {
        const sum = at('gradient');
        return [binary(emitter, name, algorithm.add, sum, at('microGradient'), sum)];
      }),
    ]);
    define(node.outputs, pairs, emitter);
  },
};

export const unscaleGradients: Kernel<'unscaleGradients'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const { name } = node;
    const pairs = node.inputs.slice(1);
    settleGradients(pairs, emitter);
    const found = required(node.outputs, 0, name);
    const target = emitter.allocateFor(found, emitter.descriptors.plain([1], 'f32'));
    const inverse = scalar(emitter, `${name}.inverse`, [emitter.input(node, 0)], ([scale = 1]) => 1 / scale);
    emitter.emitLate(() => {
      const zeros = emitter.allocate(emitter.descriptors.plain([1, chunk], 'f32'));
      // 0 g is 0 for every number but NaN and the infinite ones
      const { steps, sums } = products(emitter, name, pairs, (at) => {
        const gradient = at('gradient');
        return [gradient, { ...zeros, descriptor: gradient.descriptor }];
      });
      return [
        {
          kind: 'host',
          name: `${name}.zeros`,
          reads: [],
          writes: [zeros],
          run: (views) => views.floats(0).fill(0),
        },
        ...steps,
        {
          kind: 'host',
          name: `${name}.found`,
          reads: [sums],
          writes: [target],
          run: (views) => {
            views.floats(1)[0] = views.floats(0).every((sum) => sum === 0) ? 0 : 1;
          },
          ends: (views) => views.floats(1)[0] === 1,
        },
        ...multiplied(emitter, name, pairs, inverse),
      ];
    });
    emitter.define(found, target);
    define(node.outputs.slice(1), pairs, emitter);
  },
};

export const clipGradientNorm: Kernel<'clipGradientNorm'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const { name } = node;
    const pairs = node.inputs.slice(1);
    settleGradients(pairs, emitter);
    const norm = required(node.outputs, 0, name);
    const number = emitter.descriptors.plain([1], 'f32');
    const [target, factor] = [emitter.allocateFor(norm, number), emitter.allocate(number)];
    const limit = emitter.input(node, 0);
    emitter.emitLate(() => {
      const squares = (at: At): [Tensor, Tensor] => [at('gradient'), at('gradient')];
      const { steps, sums } = products(emitter, name, pairs, squares);
      return [
        ...steps,
        {
          kind: 'host',
          name: `${name}.norm`,
          reads: [sums, limit],
          writes: [target, factor],
          run(views) {
            const total = Math.sqrt(views.floats(0).reduce((sum, square) => sum + square, 0));
            views.floats(2)[0] = total;
            views.floats(3)[0] = Math.min(1, (views.floats(1)[0] ?? 0) / (total + normEpsilon));
          },
        },
        ...multiplied(emitter, name, pairs, factor),
      ];
    });
    emitter.define(norm, target);
    define(node.outputs.slice(1), pairs, emitter);
  },
};

export const clipGradientValue: Kernel<'clipGradientValue'> = {
  prepare: (node, emitter) => setAside(node.inputs, emitter),
  emit(node, emitter) {
    const { name } = node;
    const pairs = node.inputs.slice(1);
    settleGradients(pairs, emitter);
    const limit = emitter.input(node, 0);
    const negative = scalar(emitter, `${name}.negative`, [limit], ([value = 0]) => -value);
    emitter.emitLate(() =>
      chunks(emitter, pairs, (at) => {
        const gradient = at('gradient');
        return [
          binary(emitter, name, algorithm.minimum, gradient, limit, gradient),
          binary(emitter, name, algorithm.maximum, gradient, negative, gradient),
        ];
      }),
    );
    define(node.outputs, pairs, emitter);
  },
};

function setAside(
  [, ...pairs]: readonly Value[],
  emitter: Emitter,
  flat: 'gradient' | 'microGradient' = 'gradient',
): void {
  for (const [parameter, gradient] of gradientPairs(pairs)) {
    emitter.designateGradient(parameter, gradient, flat);
  }
}

/** The results lie where the gradients of their parameters lie. */
function define(outputs: readonly Value[], pairs: readonly Value[], emitter: Emitter): void {
  outputs.forEach((output, index) => {
    const parameter = required(pairs, 2 * index, output.name);
    emitter.define(output, emitter.state.tensor(emitter.state.slot(parameter.name), 'gradient'));
  });
}

function multiplied(emitter: Emitter, name: string, pairs: readonly Value[], factor: Tensor): Step[] {
  return chunks(emitter, pairs, (at) => {
    const gradient = at('gradient');
    return [binary(emitter, name, algorithm.multiply, gradient, factor, gradient)];
  });
}

/** The sum of a b over each chunk. */
function products(
  emitter: Emitter,
  name: string,
  pairs: readonly Value[],
  factors: (at: At) => [Tensor, Tensor],
): { steps: Step[]; sums: Tensor } {
  const { engine } = emitter.runtime;
  const count = chunkCount(emitter, pairs);
  const sums = emitter.allocate(emitter.descriptors.plain([count], 'f32'));
  const steps = chunks(emitter, pairs, (at, index) => {
    const [a, b] = factors(at);
    const target: Tensor = { ...sums, descriptor: emitter.memoizedPlain([1, 1]), offset: 4 * index };
    const descriptor = emitter.memoized(`product:${a.descriptor.shape}`, () =>
      emitter.primitive(
        name,
        'dnnl_inner_product_forward_primitive_desc_create',
        engine,
        prop.inference,
        a.descriptor.handle,
        b.descriptor.handle,
        0,
        target.descriptor.handle,
        emitter.attributes(),
      ),
    );
    const reads = [
      [arg.source, a],
      [arg.weights, b],
    ] as const;
    return [emitter.step(name, descriptor, reads, [[arg.destination, target]])];
  });
  return { steps, sums };
}
