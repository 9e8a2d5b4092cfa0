import type { ConfusionMatrix } from './confusion-matrix.js';

/** How well one class is told from the others; shares are 0 to 1, null where there is nothing to divide by. */
export interface ClassScore {
  /** Class id. */
  readonly id: number;
  /** Pictures of the class. */
  readonly support: number;
  /** Pictures that were taken for it. */
  readonly predicted: number;
  /** Pictures of the class that were taken for it. */
  readonly correct: number;
  /** Of the pictures that were taken for it, those that are of it. */
  readonly precision: number | null;
  /** Of its pictures, those that were taken for it. */
  readonly recall: number | null;
  /** Harmonic mean of both. */
  readonly f1: number | null;
}

/** Scores of each class, by id. */
export function classScores(matrix: ConfusionMatrix): ClassScore[] {
  const support = new Array<number>(matrix.classes).fill(0);
  const predicted = [...support];
  for (const cell of matrix.cells()) {
    support[cell.actual]! += cell.count;
    predicted[cell.predicted]! += cell.count;
  }
  return support.map((own, id) => {
    const taken = predicted[id] as number;
    const correct = matrix.get(id, id);
    return {
      id,
      support: own,
      predicted: taken,
      correct,
      precision: share(correct, taken),
      recall: share(correct, own),
      f1: share(2 * correct, own + taken),
    };
  });
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
