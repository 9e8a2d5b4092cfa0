import type { Value } from '../../../graph/graph.js';
import type { OptimizerSlot } from '../../engine.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, prop } from '../ffi.js';
import type { FlatName } from '../state.js';
import type { Step } from '../step.js';
import type { FlatBuffer, Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

/** Elements updated at a time: parameter, gradient, state and working memory of one chunk stay in the second-level cache. */
const chunk = 48 * 1024;

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
    const root = scalar(emitter, `${name}.root`, [correction2], ([a = 1]) => 1 / Math.sqrt(a));
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
          rootOf(emitter, name, square, root, epsilon, temporary),
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
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [parameter, gradient] = [pairs[index], pairs[index + 1]];
    if (parameter && gradient) emitter.designateGradient(parameter, gradient);
  }
}

/** Copies the gradients that are not made in their place: those that the host hands over. */
function settleGradients(pairs: readonly Value[], emitter: Emitter): void {
  for (const gradient of pairs.filter((_, index) => index % 2 === 1)) emitter.settle(gradient);
}

/** One number made from others before the update, e.g. the negated rate. */
function scalar(
  emitter: Emitter,
  name: string,
  reads: readonly Tensor[],
  make: (values: number[]) => number,
): Tensor {
  const target = emitter.allocate(emitter.descriptors.plain([1], 'f32'));
  emitter.emitHost({
    name,
    reads,
    writes: [target],
    run(views) {
      views.floats(reads.length)[0] = make(reads.map((_, index) => views.floats(index)[0] ?? 0));
    },
  });
  return target;
}

/** The start of the working memory, as long as a chunk. */
function within(work: Tensor, { descriptor }: Tensor): Tensor {
  return { ...work, descriptor };
}

type At = (flat: FlatName) => Tensor;

/** The steps for every chunk of the stretch of the flat buffers that the given parameters cover. */
function chunks(emitter: Emitter, pairs: readonly Value[], make: (at: At) => Step[]): Step[] {
  const parameters = pairs.filter((_, index) => index % 2 === 0);
  const slots = parameters.map((value) => emitter.state.slot(value.name));
  const start = Math.min(...slots.map((slot) => slot.offset));
  const end = Math.max(...slots.map((slot) => slot.offset + (slot.descriptor?.size ?? 0)));
  const covered = slots.reduce((sum, slot) => sum + Math.ceil((slot.descriptor?.size ?? 0) / 64) * 64, 0);
  if (Math.ceil(end / 64) * 64 - start !== covered)
    throw new Error('an optimizer covers a stretch with gaps');
  const shared = new Map<number, Tensor['descriptor']>();
  const steps: Step[] = [];
  for (let offset = start; offset < end; offset += chunk * 4) {
    const count = Math.min(chunk, (end - offset) / 4);
    const descriptor = shared.get(count) ?? emitter.descriptors.plain([1, count], 'f32');
    shared.set(count, descriptor);
    const at: At = (flat) => {
      const buffer: FlatBuffer = emitter.state.flat(flat);
      return { descriptor, place: { kind: 'flat', flat: buffer, slot: { offset } }, offset: 0 };
    };
    steps.push(...make(at));
  }
  return steps;
}

interface After {
  /** Adds this tensor to the result. */
  add?: Tensor;
  /** Multiplies the result by a constant. */
  scale?: number;
  /** Multiplies the result by one number known at run time. */
  times?: Tensor;
  /** Adds the target's old content times this. */
  sum?: number;
}

/** target = after(a op b); b may be one number. */
function binary(
  emitter: Emitter,
  name: string,
  kind: number,
  a: Tensor,
  b: Tensor,
  target: Tensor,
  after: After = {},
): Step {
  const { library, engine } = emitter.runtime;
  const second = stretched(emitter, b, a);
  const key = `${kind}:${a.descriptor.handle}:${second.descriptor.shape}:${Object.keys(after)}:${after.scale}:${after.sum}`;
  const times = after.times && stretched(emitter, after.times, a);
  const postOps = (list: Handle): void => {
    if (after.add)
      library.call('dnnl_post_ops_append_binary', list, algorithm.add, after.add.descriptor.handle);
    if (after.scale !== undefined)
      library.call('dnnl_post_ops_append_eltwise', list, algorithm.linear, after.scale, 0);
    if (times) library.call('dnnl_post_ops_append_binary', list, algorithm.multiply, times.descriptor.handle);
    if (after.sum !== undefined) library.call('dnnl_post_ops_append_sum', list, after.sum, 0, 0);
  };
  const descriptor = emitter.memoized(key, () =>
    emitter.primitive(
      name,
      'dnnl_binary_primitive_desc_create',
      engine,
      kind,
      a.descriptor.handle,
      second.descriptor.handle,
      target.descriptor.handle,
      emitter.attributes(Object.keys(after).length ? postOps : undefined),
    ),
  );
  const reads: Array<readonly [number, Tensor]> = [
    [arg.source, a],
    [arg.source1, second],
  ];
  if (after.add) reads.push([arg.postOpSource1(0), after.add]);
  if (times) reads.push([arg.postOpSource1(0), times]);
  return emitter.step(name, descriptor, reads, [[arg.destination, target]]);
}

/** target = sqrt(square) * factor + epsilon. */
function rootOf(
  emitter: Emitter,
  name: string,
  square: Tensor,
  factor: Tensor,
  epsilon: number,
  target: Tensor,
): Step {
  const { library, engine } = emitter.runtime;
  const stretchedFactor = stretched(emitter, factor, square);
  const descriptor = emitter.memoized(`root:${square.descriptor.handle}:${epsilon}`, () =>
    emitter.primitive(
      name,
      'dnnl_eltwise_forward_primitive_desc_create',
      engine,
      prop.inference,
      algorithm.sqrt,
      square.descriptor.handle,
      target.descriptor.handle,
      0,
      0,
      emitter.attributes((list) => {
        library.call(
          'dnnl_post_ops_append_binary',
          list,
          algorithm.multiply,
          stretchedFactor.descriptor.handle,
        );
        library.call('dnnl_post_ops_append_eltwise', list, algorithm.linear, 1, epsilon);
      }),
    ),
  );
  const reads = [
    [arg.source, square],
    [arg.postOpSource1(0), stretchedFactor],
  ] as const;
  return emitter.step(name, descriptor, reads, [[arg.destination, target]]);
}

/** One number under the shape that oneDNN stretches over a row. */
function stretched(emitter: Emitter, tensor: Tensor, over: Tensor): Tensor {
  if (tensor.descriptor.shape.length === over.descriptor.shape.length) return tensor;
  return emitter.reinterpret(tensor, emitter.memoizedPlain([1, 1]));
}
