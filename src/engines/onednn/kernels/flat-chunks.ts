import type { Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle } from '../ffi.js';
import type { FlatName } from '../state.js';
import type { Step } from '../step.js';
import type { FlatBuffer, Tensor } from '../tensor.js';

/** Elements updated at a time: parameter, gradient, state and working memory of one chunk stay in the second-level cache. */
export const chunk = 48 * 1024;

/** A place of a flat buffer, of a chunk's length or of the whole stretch. */
export type At = (flat: FlatName) => Tensor;

/**
 * The steps for every chunk of the stretch of the flat buffers that the given parameters cover.
 * @param pairs parameter and gradient in turn
 */
export function chunks(
  emitter: Emitter,
  pairs: readonly Value[],
  make: (at: At, index: number) => Step[],
): Step[] {
  const { start, end } = stretchOf(emitter, pairs);
  const shared = new Map<number, Tensor['descriptor']>();
  const steps: Step[] = [];
  for (let offset = start, index = 0; offset < end; offset += chunk * 4, index++) {
    const count = Math.min(chunk, (end - offset) / 4);
    const descriptor = shared.get(count) ?? emitter.descriptors.plain([1, count], 'f32');
    shared.set(count, descriptor);
    steps.push(...make(placeAt(emitter, descriptor, offset), index));
  }
  return steps;
}

/** The whole stretch in one piece. */
export function whole(emitter: Emitter, pairs: readonly Value[]): At {
  const { start, end } = stretchOf(emitter, pairs);
  return placeAt(emitter, emitter.descriptors.plain([1, (end - start) / 4], 'f32'), start);
}

/** Chunks of the stretch. Known only where steps are made late. */
export function chunkCount(emitter: Emitter, pairs: readonly Value[]): number {
  const { start, end } = stretchOf(emitter, pairs);
  return Math.ceil((end - start) / (chunk * 4));
}

function placeAt(emitter: Emitter, descriptor: Tensor['descriptor'], offset: number): At {
  return (flat) => {
    const buffer: FlatBuffer = emitter.state.flat(flat);
    return { descriptor, place: { kind: 'flat', flat: buffer, slot: { offset } }, offset: 0 };
  };
}

/** Bytes of the flat buffers that the given parameters cover. Known only where steps are made late. */
export function stretchOf(emitter: Emitter, pairs: readonly Value[]): { start: number; end: number } {
  const parameters = pairs.filter((_, index) => index % 2 === 0);
  const slots = parameters.map((value) => emitter.state.slot(value.name));
  const start = Math.min(...slots.map((slot) => slot.offset));
  const end = Math.max(...slots.map((slot) => slot.offset + (slot.descriptor?.size ?? 0)));
  const covered = slots.reduce((sum, slot) => sum + Math.ceil((slot.descriptor?.size ?? 0) / 64) * 64, 0);
  if (Math.ceil(end / 64) * 64 - start !== covered)
    throw new Error('the parameters do not lie one behind the other');
  return { start, end };
}

/** Copies the gradients that are not made in their place: those that the host hands over. */
export function settleGradients(pairs: readonly Value[], emitter: Emitter): void {
  for (const gradient of pairs.filter((_, index) => index % 2 === 1)) emitter.settle(gradient);
}

/** One number made from others before the update, e.g. the negated rate. */
export function scalar(
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

interface After {
  /** Adds this tensor to the result. */
  add?: Tensor;
  /** Multiplies the result by a constant. */
  scale?: number;
  /** Takes the root of the result and adds this to it. */
  rootPlus?: number;
  /** Multiplies the result by one number known at run time. */
  times?: Tensor;
  /** Adds the target's old content times this. */
  sum?: number;
}

/** target = after(a op b); b may be one number. */
export function binary(
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
  const constants = [after.scale, after.rootPlus, after.sum];
  const key = `${kind}:${a.descriptor.handle}:${second.descriptor.shape}:${Object.keys(after)}:${constants}`;
  const times = after.times && stretched(emitter, after.times, a);
  const postOps = (list: Handle): void => {
    if (after.add)
      library.call('dnnl_post_ops_append_binary', list, algorithm.add, after.add.descriptor.handle);
    if (after.scale !== undefined)
      library.call('dnnl_post_ops_append_eltwise', list, algorithm.linear, after.scale, 0);
    if (after.rootPlus !== undefined) {
      library.call('dnnl_post_ops_append_eltwise', list, algorithm.sqrt, 0, 0);
      library.call('dnnl_post_ops_append_eltwise', list, algorithm.linear, 1, after.rootPlus);
    }
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

/** One number under the shape that oneDNN stretches over a row. */
export function stretched(emitter: Emitter, tensor: Tensor, over: Tensor): Tensor {
  if (tensor.descriptor.shape.length === over.descriptor.shape.length) return tensor;
  return emitter.reinterpret(tensor, emitter.memoizedPlain([1, 1]));
}
