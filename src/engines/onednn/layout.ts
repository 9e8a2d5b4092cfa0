import type { Descriptor, Descriptors, FormatTag } from './descriptor.js';
import { usesAmx } from './library/capabilities.js';

/** Bits of dnnl_cpu_isa_t that a set of instructions includes. */
const avx512Core = 0x27;

const avx2 = 0x7;

/**
 * The layout of all activations of a graph, by the instruction set and the type alone: an exact resume needs the same
 * choice every time, so nothing is timed. One fixed blocking beats leaving it to the primitives: those pick
 * channels-last kernels for strided backward passes, at the price of a dozen reorders a step (15 on AVX2, 12 on AVX-512).
 * The kernels that use AMX's tiles exist for channels-last alone; those of the blocked layouts take three times as long.
 */
export function activationLayout(isa: number, half: boolean): FormatTag {
  if (half && usesAmx(isa)) return 'nhwc';
  if (includes(isa, avx512Core)) return 'nChw16c';
  return includes(isa, avx2) ? 'nChw8c' : 'any';
}

function includes(isa: number, bits: number): boolean {
  return (isa & bits) === bits;
}

/** Pictures with this few channels (the first convolution's) stay in plain order. */
export const fewChannels = 4;

/**
 * A vector with a number for each channel, to be combined with `x`. In the layout of `x`, where that is possible: a
 * plain one would make oneDNN fall back to a reference loop that is many times slower.
 */
export function channelVector(descriptors: Descriptors, { shape, type, handle }: Descriptor): Descriptor {
  const row = shape.map((extent, axis) => (axis === 1 ? extent : 1));
  const plain = descriptors.plain(row, 'f32');
  if (shape.length !== 4) return plain;
  for (const tag of ['nChw16c', 'nChw8c', 'nhwc'] as const) {
    const blocked = descriptors.make(row, 'f32', tag);
    const whole = descriptors.make(shape, type, tag);
    // with no padding both have the same bytes
    if (blocked.size === plain.size && descriptors.library.sameDescriptor(whole.handle, handle))
      return blocked;
  }
  return plain;
}
