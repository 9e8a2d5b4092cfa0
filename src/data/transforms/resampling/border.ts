import { z } from 'zod';

/** What lies beyond the edge, by OpenCV's names: fill | aaa abcd ddd | ba abcd dc | cb abcd cb | cd abcd ab. */
export const borderModes = ['constant', 'replicate', 'reflect', 'reflect101', 'wrap'] as const;

export type BorderMode = (typeof borderModes)[number];

const channel = z.number().min(0).max(255);

/** Options of a transform that looks beyond the edge. */
export const borderOptions = {
  borderMode: z.enum(borderModes).default('constant'),
  /** Colour of what lies beyond with `constant`: of all channels, or red, green and blue. */
  fill: z.union([channel, z.tuple([channel, channel, channel])]).default(0),
};

export type Fill = number | readonly [number, number, number];

/** Red, green and blue of the fill, as bytes. */
export function fillBytes(fill: Fill): readonly [number, number, number] {
  const [red, green, blue] = typeof fill === 'number' ? [fill, fill, fill] : fill;
  return [Math.round(red), Math.round(green), Math.round(blue)];
}

/** The fill as a pixel's word: red in the lowest byte. */
export function fillWord(fill: Fill): number {
  const [red, green, blue] = fillBytes(fill);
  return red | (green << 8) | (blue << 16);
}

/** The pixel of a row of `length` that stands at `index`, which may lie beyond; -1 for the fill. */
export function borderIndex(index: number, length: number, mode: BorderMode): number {
  if (index >= 0 && index < length) return index;
  switch (mode) {
    case 'constant':
      return -1;
    case 'replicate':
      return index < 0 ? 0 : length - 1;
    case 'wrap':
      return modulo(index, length);
    case 'reflect': {
      const within = modulo(index, 2 * length);
      return within < length ? within : 2 * length - 1 - within;
    }
    case 'reflect101': {
      if (length === 1) return 0;
      const within = modulo(index, 2 * length - 2);
      return within < length ? within : 2 * length - 2 - within;
    }
  }
}

function modulo(index: number, period: number): number {
  const rest = index % period;
  // no -0, which is no array index
  return rest < 0 ? rest + period : rest + 0;
}
