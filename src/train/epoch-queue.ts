import type { Loader } from '../data/loader/loader.js';

/** Queues epochs at the loader, each one's training and then its validation, in the order in which they are run. */
export class EpochQueue {
  readonly #loader: Loader;
  readonly #options: { readonly epochs: number; readonly validate: boolean };
  #next: number;
  #firstBatch: number;

  /**
   * @param options.epoch the first to queue, and `step` its batches that are done already
   * @param options.epochs of the whole run
   * @param options.validate whether there is anything to validate on
   */
  constructor(loader: Loader, options: { epoch: number; step: number; epochs: number; validate: boolean }) {
    this.#loader = loader;
    this.#options = options;
    this.#next = options.epoch;
    this.#firstBatch = options.step;
  }

  /** Queues what is not queued yet of the epochs before `end`. */
  upTo(end: number): void {
    const { epochs, validate } = this.#options;
    for (; this.#next < Math.min(end, epochs); this.#next++) {
      const epoch = this.#next;
      const firstBatch = this.#firstBatch;
      this.#loader.enqueue({ split: 'train', epoch, firstBatch, dropLast: true, shuffle: true });
      if (validate) this.#loader.enqueue({ split: 'val', epoch, dropLast: false, shuffle: false });
      this.#firstBatch = 0;
    }
  }
}
