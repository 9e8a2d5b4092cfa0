import { z } from 'zod';
import type { Range } from './value-range.js';

/** A range for each axis. */
export interface Axes {
  readonly x: Range;
  readonly y: Range;
}

/** Schema of a range of values that `value` accepts; a single one stands for itself. */
export function rangeOf(value: z.ZodNumber) {
  return z.union([value.transform((single): [number, number] => [single, single]), pairOf(value)]);
}

/** Schema of a range around 0: a single value v stands for -v to v. */
export function symmetricRangeOf(value: z.ZodNumber) {
  return z.union([value.transform((v): [number, number] => [-Math.abs(v), Math.abs(v)]), pairOf(value)]);
}

/** Schema of a range for each axis, `fallback` for one left out; a single range is both axes'. */
export function axesOf(value: z.ZodNumber, fallback: number) {
  const range = rangeOf(value);
  const other: [number, number] = [fallback, fallback];
  return z.union([
    range.transform((both) => ({ x: both, y: both })),
    z.strictObject({ x: range.default(other), y: range.default(other) }),
  ]);
}

function pairOf(value: z.ZodNumber) {
  return z
    .tuple([value, value])
    .refine(([low, high]) => low <= high, 'a range goes from the lower to the higher value');
}

/** Schema of a range that is always given as two values. */
export function rangeWithin(value: z.ZodNumber, fallback: [number, number]) {
  return pairOf(value).default(fallback);
}
