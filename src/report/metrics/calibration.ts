/** Predictions whose confidence lies in one range. */
export interface CalibrationBin {
  /** Confidences above `from`, up to and with `to`. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean confidence, null in an empty bin. */
  readonly confidence: number | null;
  /** Share of right predictions, null in an empty bin. */
  readonly accuracy: number | null;
}

/** How well confidence foretells being right. */
export interface CalibrationResult {
  /** Expected calibration error: mean distance of accuracy and confidence over the bins, by their counts; 0 to 1. */
  readonly ece: number;
  /** The largest distance in any bin. */
  readonly mce: number;
  /** Mean confidence of all. */
  readonly confidence: number;
  readonly bins: readonly CalibrationBin[];
}

/** Collects how confident predictions were and whether they were right, in bins of equal width. */
export class Calibration {
  readonly #counts: number[];
  readonly #confidences: number[];
  readonly #correct: number[];

  constructor(bins = 15) {
    this.#counts = new Array<number>(bins).fill(0);
    this.#confidences = [...this.#counts];
    this.#correct = [...this.#counts];
  }

  /** @param confidence probability of the predicted class, 0 to 1 */
  add(confidence: number, correct: boolean): void {
    const bins = this.#counts.length;
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    this.#counts[bin]! += 1;
    this.#confidences[bin]! += confidence;
    if (correct) this.#correct[bin]! += 1;
  }

  result(): CalibrationResult {
    const total = this.#counts.reduce((a, b) => a + b, 0);
    const bins = this.#counts.map((count, index): CalibrationBin => {
      const mean = (sums: readonly number[]): number | null =>
        count === 0 ? null : (sums[index] as number) / count;
      return {
        from: index / this.#counts.length,
        to: (index + 1) / this.#counts.length,
        count,
        confidence: mean(this.#confidences),
        accuracy: mean(this.#correct),
      };
    });
    const gaps = bins.map(({ accuracy, confidence }) => Math.abs((accuracy ?? 0) - (confidence ?? 0)));
    const ece = bins.reduce((sum, { count }, index) => sum + count * (gaps[index] as number), 0);
    const confidence = this.#confidences.reduce((a, b) => a + b, 0);
    const share = (sum: number): number => (total === 0 ? 0 : sum / total);
    return { ece: share(ece), mce: Math.max(0, ...gaps), confidence: share(confidence), bins };
  }
}
