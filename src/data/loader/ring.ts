/**
 * The shared memory between the loader threads, which fill batches, and the engine thread, which takes them:
 * a ring of slots, one batch each. Batches are numbered over the whole run; batch n lies in slot n % slots.
 *
 * Order of events for batch n in its slot (each word has one meaning and is waited for on itself):
 * 1. `turn` is n: the slot is free for batch n. Threads that hold one of its pictures wait for this.
 * 2. Each thread writes its pixels and label and adds 1 to `done`. Whoever makes `done` reach the batch's
 *    number of pictures writes the header and sets `ready` to n + 1, for which the reader waits.
 * 3. The reader uses the batch, then sets `turn` to n + slots. Several readers that share the batches (`left` counts
 *    those that are done with one) all take each of them, and the last one to be done sets `turn`.
 * Pictures are shared out one by one through `ticket`, the number of pictures begun in the whole run, which
 * has 64 bits; batches are counted in 31.
 */

/** The ring as plain data that can be posted to another thread; the buffers are shared, not copied. */
export interface BatchRing {
  readonly control: SharedArrayBuffer;
  /** Float32, slot after slot, each [capacity, 3, height, width]. */
  readonly images: SharedArrayBuffer;
  /** Int32, slot after slot, each [capacity]. */
  readonly labels: SharedArrayBuffer;
  readonly slots: number;
  /** Pictures that a slot can hold. */
  readonly capacity: number;
  readonly height: number;
  readonly width: number;
}

/** Words of the control block; 0 and 1 are the ticket, a 64-bit number, and from 8 on there are two more: `effortOf`. */
export const word = { state: 2, jobs: 3, messageLength: 4, next: 5 } as const;
/** Words of a slot, from `slotWord(slot)` on. */
export const slotOffset = {
  turn: 0,
  ready: 1,
  done: 2,
  job: 3,
  index: 4,
  count: 5,
  last: 6,
  total: 7,
  left: 8,
} as const;

const headerWords = 16;
const wordsPerSlot = 16;
const messageBytes = 4096;

const ringState = { running: 0, closed: 1, failed: 2, failing: 3 } as const;

/**
 * Milliseconds after which a wait looks at the ring's state again. A reader may have been given a flag to
 * stop at, which nobody notifies; the threads are notified of everything that concerns them.
 */
export const patience = { reader: 50, writer: 1000 } as const;

/** Index of a slot's first control word. */
export function slotWord(slot: number): number {
  return headerWords + slot * wordsPerSlot;
}

/** Floats of one picture. */
export function floatsPerPicture({ height, width }: BatchRing): number {
  return 3 * height * width;
}

/** Bytes from one slot's images to the next one's; a multiple of 64, as vector instructions like it. */
function slotBytes(ring: BatchRing): number {
  return Math.ceil((ring.capacity * floatsPerPicture(ring) * 4) / 64) * 64;
}

/** @throws RangeError when there is no memory for it */
export function createRing(size: {
  slots: number;
  capacity: number;
  height: number;
  width: number;
}): BatchRing {
  const { slots, capacity } = size;
  const empty = new SharedArrayBuffer(0);
  const bytes = slots * slotBytes({ ...size, control: empty, images: empty, labels: empty });
  const ring = {
    ...size,
    control: new SharedArrayBuffer(slotWord(slots) * 4 + messageBytes),
    images: new SharedArrayBuffer(bytes),
    labels: new SharedArrayBuffer(slots * capacity * 4),
  };
  const control = new Int32Array(ring.control);
  for (let slot = 0; slot < slots; slot++) control[slotWord(slot) + slotOffset.turn] = slot;
  return ring;
}

/** The control words. */
export function controlOf(ring: BatchRing): Int32Array {
  return new Int32Array(ring.control, 0, slotWord(ring.slots));
}

/** Pictures made so far, and the microseconds that all threads together took for them. */
export function effortOf(ring: BatchRing): BigInt64Array {
  return new BigInt64Array(ring.control, 32, 2);
}

/** The images of each slot. */
export function imagesOf(ring: BatchRing): Float32Array[] {
  const length = ring.capacity * floatsPerPicture(ring);
  return Array.from(
    { length: ring.slots },
    (_, slot) => new Float32Array(ring.images, slot * slotBytes(ring), length),
  );
}

/** The labels of each slot. */
export function labelsOf(ring: BatchRing): Int32Array[] {
  return Array.from(
    { length: ring.slots },
    (_, slot) => new Int32Array(ring.labels, slot * ring.capacity * 4, ring.capacity),
  );
}

/** Wakes whoever waits for anything, to look at the state. */
function wakeAll(ring: BatchRing): void {
  const control = controlOf(ring);
  for (let at = word.state; at < control.length; at++) Atomics.notify(control, at);
}

/** Ends the ring: readers and threads stop waiting. */
export function closeRing(ring: BatchRing): void {
  Atomics.compareExchange(controlOf(ring), word.state, ringState.running, ringState.closed);
  wakeAll(ring);
}

/** Marks the ring as failed; the first message stays. */
export function failRing(ring: BatchRing, message: string): void {
  const control = controlOf(ring);
  const before = Atomics.compareExchange(control, word.state, ringState.running, ringState.failing);
  if (before !== ringState.running) return;
  const text = new TextEncoder().encode(message).subarray(0, messageBytes);
  new Uint8Array(ring.control, slotWord(ring.slots) * 4).set(text);
  Atomics.store(control, word.messageLength, text.length);
  Atomics.store(control, word.state, ringState.failed);
  wakeAll(ring);
}

/** Why no batch will come any more; undefined while the loader runs. */
export function endOfRing(ring: BatchRing, control: Int32Array): string | undefined {
  const state = Atomics.load(control, word.state);
  if (state === ringState.closed) return 'the loader was closed';
  if (state !== ringState.failed) return undefined;
  const length = Atomics.load(control, word.messageLength);
  // a copy, because text cannot be decoded from shared memory
  const text = new Uint8Array(ring.control, slotWord(ring.slots) * 4, length).slice();
  return new TextDecoder().decode(text);
}
