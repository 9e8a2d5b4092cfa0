import { crossEntropy } from './metrics.js';

/** What a network says of pictures, in flat arrays: cheap to hand over between threads. */
export interface PackedPredictions {
  /** Classes kept for each picture. */
  readonly top: number;
  /** True class of each picture; -1 for one that could not be read. */
  readonly labels: Int32Array;
  /** Cross-entropy of each picture; 0 where there is no label. */
  readonly losses: Float64Array;
  /** [pictures, top] class ids, the likeliest first. */
  readonly ids: Int32Array;
  /** [pictures, top], 0 to 1. */
  readonly probabilities: Float32Array;
}

/** Packs batch after batch of logits. */
export class PredictionPacker {
  readonly #classes: number;
  readonly #top: number;
  readonly #labels: number[] = [];
  readonly #losses: number[] = [];
  readonly #ids: number[] = [];
  readonly #probabilities: number[] = [];

  /** @param options.top at most all classes are kept */
  constructor({ classes, top }: { classes: number; top: number }) {
    this.#classes = classes;
    this.#top = Math.min(top, classes);
  }

  /** @param batch.logits [labels.length or more, classes] */
  add({ logits, labels }: { logits: Float32Array; labels: Int32Array }): void {
    labels.forEach((label, row) => {
      const start = row * this.#classes;
      this.#labels.push(label);
      this.#losses.push(label < 0 ? 0 : crossEntropy(logits, start, this.#classes, label));
      this.#keepTop(logits.subarray(start, start + this.#classes));
    });
  }

  finish(): PackedPredictions {
    return {
      top: this.#top,
      labels: Int32Array.from(this.#labels),
      losses: Float64Array.from(this.#losses),
      ids: Int32Array.from(this.#ids),
      probabilities: Float32Array.from(this.#probabilities),
    };
  }

  #keepTop(logits: Float32Array): void {
    const ids: number[] = [];
    // of equal ones the first comes first, as in the accuracies
    logits.forEach((logit, id) => {
      let at = ids.length;
      while (at > 0 && logit > (logits[ids[at - 1] as number] as number)) at--;
      if (at >= this.#top) return;
      ids.splice(at, 0, id);
      ids.length = Math.min(ids.length, this.#top);
    });
    const largest = logits[ids[0] as number] as number;
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    for (const id of ids) {
      this.#ids.push(id);
      this.#probabilities.push(Math.exp((logits[id] as number) - largest) / sum);
    }
  }
}
