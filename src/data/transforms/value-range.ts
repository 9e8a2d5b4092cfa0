import { z } from 'zod';

/** Least and most value that a draw may take. */
export type Range = readonly [least: number, most: number];

interface RangeOptions {
  /** Bounds of both ends. */
  readonly within: Range;
  /** When none is given. */
  readonly default: Range;
  /** What a single number n stands for; without it only a pair will do. */
  readonly single?: (n: number) => Range;
  readonly whole?: boolean;
}

/**
 * Option for the range of a draw: a pair [least, most], or a number that stands for one. Its result is always
 * the pair.
 */
export function valueRange({ within, single, whole = false, ...options }: RangeOptions) {
  const [low, high] = within;
  const number = whole ? z.int() : z.number();
  const bounds = high === Number.POSITIVE_INFINITY ? `from ${low} on` : `from ${low} to ${high}`;
  const kind = whole ? 'whole numbers' : 'numbers';
  const expected = `a pair [least, most] of ${kind} ${bounds}${single ? ', or one number' : ''}`;
  return z
    .union([number, z.tuple([number, number])], { error: `it must be ${expected}` })
    .transform((given, context): [number, number] => {
      if (typeof given !== 'number') return given;
      if (single && given >= 0) return [...single(given)];
      context.addIssue({ code: 'custom', message: `it must be ${single ? '0 or more' : expected}` });
      return z.NEVER;
    })
    .refine(([least, most]) => least >= low && most <= high, { error: `it must be ${expected}`, abort: true })
    .refine(([least, most]) => least <= most, { error: 'the least comes before the most' })
    .default([...options.default]);
}

/** n stands for [-n, n]. */
export function around0(n: number): Range {
  return [-n, n];
}

/** A number of the range, every one equally likely. */
export function drawFrom([least, most]: Range, random: { uniform(): number }): number {
  return least + (most - least) * random.uniform();
}

/** A whole number of the range, both ends within it, every one equally likely. */
export function drawWholeFrom([least, most]: Range, random: { below(n: number): number }): number {
  return least === most ? least : least + random.below(most - least + 1);
}
