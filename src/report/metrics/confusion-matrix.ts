/** How many pictures of one class were taken for another. */
export interface ConfusionCell {
  /** Class ids. */
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

/** Counts of pictures by true and predicted class. */
export class ConfusionMatrix {
  readonly classes: number;
  readonly #counts: Uint32Array;

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new Uint32Array(classes * classes);
  }

  add(actual: number, predicted: number, count = 1): void {
    this.#counts[this.#at(actual, predicted)]! += count;
  }

  get(actual: number, predicted: number): number {
    return this.#counts[this.#at(actual, predicted)] as number;
  }

  /** Cells that are not 0, row by row. */
  *cells(): Generator<ConfusionCell> {
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number;
      if (count === 0) continue;
      yield { actual: Math.floor(index / this.classes), predicted: index % this.classes, count };
    }
  }

  #at(actual: number, predicted: number): number {
    if (actual >= 0 && actual < this.classes && predicted >= 0 && predicted < this.classes) {
      return actual * this.classes + predicted;
    }
    throw new RangeError(`no cell ${actual}, ${predicted} in a matrix of ${this.classes} classes`);
  }
}
