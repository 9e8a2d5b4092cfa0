import {
  type BatchRing,
  controlOf,
  effortOf,
  endOfRing,
  floatsPerPicture,
  imagesOf,
  labelsOf,
  patience,
  slotOffset,
  slotWord,
  word,
} from './ring.js';

/** What is written beside a batch when its last picture is done. */
export interface BatchHeader {
  readonly job: number;
  readonly index: number;
  /** Pictures of the batch in this ring; of 0, one place is filled all the same. */
  readonly count: number;
  /** Pictures of the batch in the rings of all processes. Default: `count`. */
  readonly total?: number;
  readonly last: boolean;
}

/** A loader thread's side of the ring. */
export class BatchWriter {
  readonly #ring: BatchRing;
  readonly #control: Int32Array;
  readonly #ticket: BigInt64Array;
  readonly #effort: BigInt64Array;
  readonly #images: Float32Array[];
  readonly #labels: Int32Array[];
  readonly #floats: number;

  constructor(ring: BatchRing) {
    this.#ring = ring;
    this.#control = controlOf(ring);
    this.#ticket = new BigInt64Array(ring.control, 0, 1);
    this.#effort = effortOf(ring);
    this.#images = imagesOf(ring);
    this.#labels = labelsOf(ring);
    this.#floats = floatsPerPicture(ring);
  }

  /** Number of a picture, counted over the whole run, that no other thread works on. */
  takeTicket(): number {
    return Number(Atomics.add(this.#ticket, 0, 1n));
  }

  /** Blocks until the batch may be written. @returns false when the loader has ended */
  awaitTurn(batch: number): boolean {
    const at = slotWord(batch % this.#ring.slots) + slotOffset.turn;
    return this.#await(at, (turn) => turn === batch);
  }

  /** Number of jobs that were queued in the run so far. */
  jobs(): number {
    return Atomics.load(this.#control, word.jobs);
  }

  /** Blocks until more than `known` jobs were queued. @returns false when the loader has ended */
  awaitJobs(known: number): boolean {
    return this.#await(word.jobs, (jobs) => jobs !== known);
  }

  /** Where the picture goes: the floats of its slot, and the index of its first. */
  images(batch: number): Float32Array {
    return this.#images[batch % this.#ring.slots] as Float32Array;
  }

  imageOffset(position: number): number {
    return position * this.#floats;
  }

  /** Fills a picture that could not be read. */
  clear(batch: number, position: number): void {
    const from = this.imageOffset(position);
    this.images(batch).fill(0, from, from + this.#floats);
  }

  /** Says that the picture at `position` is written; with the last one of a batch, the reader gets it. */
  finish(batch: number, position: number, label: number, header: BatchHeader): void {
    const control = this.#control;
    const slot = batch % this.#ring.slots;
    (this.#labels[slot] as Int32Array)[position] = label;
    const at = slotWord(slot);
    if (Atomics.add(control, at + slotOffset.done, 1) + 1 < Math.max(1, header.count)) return;
    Atomics.store(control, at + slotOffset.done, 0);
    control[at + slotOffset.job] = header.job;
    control[at + slotOffset.index] = header.index;
    control[at + slotOffset.count] = header.count;
    control[at + slotOffset.total] = header.total ?? header.count;
    control[at + slotOffset.last] = header.last ? 1 : 0;
    Atomics.store(control, at + slotOffset.ready, batch + 1);
    Atomics.notify(control, at + slotOffset.ready);
  }

  /** Adds a picture and the time that it took. */
  count(milliseconds: number): void {
    Atomics.add(this.#effort, 0, 1n);
    Atomics.add(this.#effort, 1, BigInt(Math.round(1000 * milliseconds)));
  }

  #await(at: number, arrived: (value: number) => boolean): boolean {
    for (;;) {
      const value = Atomics.load(this.#control, at);
      if (endOfRing(this.#ring, this.#control) !== undefined) return false;
      if (arrived(value)) return true;
      Atomics.wait(this.#control, at, value, patience.writer);
    }
  }
}
