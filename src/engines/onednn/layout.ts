import type { FormatTag } from './descriptor.js';

/** Bits of dnnl_cpu_isa_t that a set of instructions includes. */
const avx512Core = 0x27;

const avx2 = 0x7;

/**
 * The layout of all activations of a graph, by the instruction set alone: an exact resume needs the same choice
 * every time, so nothing is timed. One fixed blocking beats leaving it to the primitives: those pick channels-last
 * kernels for strided backward passes, at the price of a dozen reorders a step (15 on AVX2, 12 on AVX-512).
 */
export function activationLayout(isa: number): FormatTag {
  if (includes(isa, avx512Core)) return 'nChw16c';
  return includes(isa, avx2) ? 'nChw8c' : 'any';
}

function includes(isa: number, bits: number): boolean {
  return (isa & bits) === bits;
}

/** Pictures with this few channels (the first convolution's) stay in plain order. */
export const fewChannels = 4;
