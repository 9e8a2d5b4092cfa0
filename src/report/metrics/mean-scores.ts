import type { ClassScore } from './class-scores.js';

/** Precision, recall and F1 over all classes. */
export interface MeanScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Means over the classes that have pictures or were predicted; a missing score counts as 0, as in
 * scikit-learn. `macro` counts each class once, `weighted` by its pictures.
 */
export function meanScores(scores: readonly ClassScore[]): { macro: MeanScore; weighted: MeanScore } {
  const seen = scores.filter(({ support, predicted }) => support + predicted > 0);
  return { macro: mean(seen, () => 1), weighted: mean(seen, ({ support }) => support) };
}

function mean(scores: readonly ClassScore[], weightOf: (score: ClassScore) => number): MeanScore {
  const total = scores.reduce((sum, score) => sum + weightOf(score), 0);
  const of = (key: keyof MeanScore): number =>
    total === 0 ? 0 : scores.reduce((sum, score) => sum + weightOf(score) * (score[key] ?? 0), 0) / total;
  return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
}
