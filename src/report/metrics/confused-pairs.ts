import type { ConfusionMatrix } from './confusion-matrix.js';

/** Two classes that are taken for each other. */
export interface ConfusedPair {
  /** Class ids; more pictures of the first are taken for the second than the other way round. */
  readonly a: number;
  readonly b: number;
  /** Pictures of `a` taken for `b`. */
  readonly aAsB: number;
  readonly bAsA: number;
}

/** The pairs with the most mistakes in both directions together, most first. */
export function confusedPairs(matrix: ConfusionMatrix, limit: number): ConfusedPair[] {
  const pairs: ConfusedPair[] = [];
  for (const { actual, predicted, count } of matrix.cells()) {
    if (actual === predicted) continue;
    const back = matrix.get(predicted, actual);
    // each pair once, from its heavier side
    if (back > count || (back === count && predicted < actual)) continue;
    pairs.push({ a: actual, b: predicted, aAsB: count, bAsA: back });
  }
  return pairs.sort((p, q) => q.aAsB + q.bAsA - (p.aAsB + p.bAsA) || p.a - q.a || p.b - q.b).slice(0, limit);
}
