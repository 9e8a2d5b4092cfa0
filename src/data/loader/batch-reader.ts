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
import { all, rowsOf, type Share } from './shares.js';

/** A batch of pictures in shared memory; valid until it is released. */
export interface Batch {
  /** [count, 3, height, width], normalised: those of this reader. */
  readonly images: Float32Array;
  /** [count]; -1 for a picture that could not be read, whose pixels are 0: the loss has to leave it out. */
  readonly labels: Int32Array;
  /** Pictures of it that this reader has; fewer than its part of the batch size only in the last batch of an epoch. */
  readonly count: number;
  /** Place of the first of them in the whole batch. */
  readonly first: number;
  /** Pictures in the whole batch, over all who share it. */
  readonly total: number;
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

/** Who else takes a part of each batch. */
export interface ReaderShare extends Share {
  /** Readers of this ring; the others have rings of their own, in other processes. */
  readonly here: number;
}

/** Takes the batches from a loader's ring, in order. One reader at a time, or for each share one, on threads that may block. */
export class BatchReader {
  readonly #ring: BatchRing;
  readonly #control: Int32Array;
  readonly #images: Float32Array[];
  readonly #labels: Int32Array[];
  readonly #held = new Set<number>();
  readonly #share: ReaderShare;
  #next: number;

  /** @param ring `Loader.ring`, posted from the thread of the loader */
  constructor(ring: BatchRing, share: ReaderShare = { ...all, here: 1 }) {
    this.#ring = ring;
    this.#control = controlOf(ring);
    this.#images = imagesOf(ring);
    this.#labels = labelsOf(ring);
    this.#share = share;
    this.#next = this.#control[word.next] as number;
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
    // where one comes after another, it goes on from there
    const number = this.#share.here === 1 ? (control[word.next] as number) : this.#next;
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
    this.#held.add(number);
    this.#next = number + 1;
    if (this.#share.here === 1) control[word.next] = number + 1;
    const total = control[at + slotOffset.total] as number;
    const { first, count } = rowsOf(total, this.#share);
    const from = first - this.#ringShare(total);
    const floats = floatsPerPicture(this.#ring);
    return {
      images: (this.#images[slot] as Float32Array).subarray(from * floats, (from + count) * floats),
      labels: (this.#labels[slot] as Int32Array).subarray(from, from + count),
      ...{ count, first, total },
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
    const at = slotWord(batch.number % this.#ring.slots);
    if (Atomics.add(this.#control, at + slotOffset.left, 1) + 1 < this.#share.here) return;
    Atomics.store(this.#control, at + slotOffset.left, 0);
    Atomics.store(this.#control, at + slotOffset.turn, batch.number + this.#ring.slots);
    Atomics.notify(this.#control, at + slotOffset.turn);
  }

  /** First row of the batch that lies in this ring. */
  #ringShare(total: number): number {
    const { index, of, here } = this.#share;
    return rowsOf(total, { index: Math.floor(index / here), of: of / here }).first;
  }
}
