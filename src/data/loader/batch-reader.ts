import {
  type BatchRing,
  controlOf,
  endOfRing,
  floatsPerPicture,
  imagesOf,
  labelsOf,
  patience,
  slotOffset,
  slotWord,
  word,
} from './ring.js';

/** A batch of pictures in shared memory; valid until it is released. */
export interface Batch {
  /** [count, 3, height, width], normalised. */
  readonly images: Float32Array;
  /** [count]; -1 for a picture that could not be read, whose pixels are 0: the loss has to leave it out. */
  readonly labels: Int32Array;
  /** Pictures in it; fewer than the batch size only in the last batch of an epoch. */
  readonly count: number;
  /** Id of the job that it belongs to. */
  readonly job: number;
  /** Its number within the epoch, from 0. */
  readonly index: number;
  /** Whether it is the last one of its job. */
  readonly last: boolean;
  /** Milliseconds that `take` waited for it. */
  readonly waitedMs: number;
  /** Its number within the run, by which `release` knows it. */
  readonly number: number;
}

/** Takes the batches from a loader's ring, in order. One reader at a time, on any thread that may block. */
export class BatchReader {
  readonly #ring: BatchRing;
  readonly #control: Int32Array;
  readonly #images: Float32Array[];
  readonly #labels: Int32Array[];
  readonly #held = new Set<number>();

  /** @param ring `Loader.ring`, posted from the thread of the loader */
  constructor(ring: BatchRing) {
    this.#ring = ring;
    this.#control = controlOf(ring);
    this.#images = imagesOf(ring);
    this.#labels = labelsOf(ring);
  }

  /**
   * Blocks this thread until the next batch is ready.
   * @param options.stop shared memory; once its word 0 is not 0, the wait ends within 50 ms
   * @returns undefined when it was stopped
   * @throws Error when the loader was closed or has failed, with its message
   */
  take(options: { stop?: Int32Array } = {}): Batch | undefined {
    const { stop } = options;
    const control = this.#control;
    const started = performance.now();
    const number = control[word.next] as number;
    const slot = number % this.#ring.slots;
    const at = slotWord(slot);
    const wanted = number + 1;
    let ready = Atomics.load(control, at + slotOffset.ready);
    while (ready !== wanted) {
      if (stop && Atomics.load(stop, 0) !== 0) return undefined;
      const end = endOfRing(this.#ring, control);
      if (end !== undefined) throw new Error(end);
      Atomics.wait(control, at + slotOffset.ready, ready, patience.reader);
      ready = Atomics.load(control, at + slotOffset.ready);
    }
    const count = control[at + slotOffset.count] as number;
    this.#held.add(number);
    control[word.next] = number + 1;
    return {
      images: (this.#images[slot] as Float32Array).subarray(0, count * floatsPerPicture(this.#ring)),
      labels: (this.#labels[slot] as Int32Array).subarray(0, count),
      count,
      job: control[at + slotOffset.job] as number,
      index: control[at + slotOffset.index] as number,
      last: control[at + slotOffset.last] === 1,
      waitedMs: performance.now() - started,
      number,
    };
  }

  /**
   * Gives the batch's memory back to the loader.
   * @throws Error when this reader does not hold it
   */
  release(batch: Batch): void {
    if (!this.#held.delete(batch.number)) throw new Error(`batch ${batch.number} is not held by this reader`);
    const at = slotWord(batch.number % this.#ring.slots) + slotOffset.turn;
    Atomics.store(this.#control, at, batch.number + this.#ring.slots);
    Atomics.notify(this.#control, at);
  }
}
