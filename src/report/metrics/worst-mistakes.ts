import type { PicturePrediction } from '../../train/predictions.js';

/** Keeps the wrong predictions with the largest loss: those where the true class seemed the least likely. */
export class WorstMistakes {
  readonly #limit: number;
  readonly #kept: PicturePrediction[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(picture: PicturePrediction): void {
    if (picture.top[0]?.id === picture.label) return;
    let at = this.#kept.length;
    while (at > 0 && picture.loss > (this.#kept[at - 1] as PicturePrediction).loss) at--;
    if (at >= this.#limit) return;
    this.#kept.splice(at, 0, picture);
    this.#kept.length = Math.min(this.#kept.length, this.#limit);
  }

  /** The worst first. */
  list(): readonly PicturePrediction[] {
    return this.#kept;
  }
}
