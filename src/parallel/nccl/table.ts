import { PeerFailure } from '../communicator.js';

/**
 * The NCCL communicators of the replicas of a process, as plain data that can be posted to another thread. A thread
 * may wait in a driver's call for a GPU that waits for another one; only a third can end that.
 */
export interface NcclTable {
  /** A word for each replica. */
  readonly states: SharedArrayBuffer;
  readonly communicators: SharedArrayBuffer;
  /** Its length, then the path of the library that they are of. */
  readonly path: SharedArrayBuffer;
}

/** `busy`: its thread is within NCCL; `doomed`: that thread is to end it; `gone`: nobody touches it any more. */
const state = { none: 0, busy: 1, idle: 2, doomed: 3, gone: 4 } as const;

const pathBytes = 4096;

export function createNcclTable(size: number): NcclTable {
  return {
    states: new SharedArrayBuffer(4 * size),
    communicators: new SharedArrayBuffer(8 * size),
    path: new SharedArrayBuffer(4 + pathBytes),
  };
}

/** Ends the communicators in a thread's own way. */
export type NcclAbort = (path: string, communicator: bigint) => void;

/** Ends all communicators of the table, now and those that are yet to come: a replica has failed. */
export function abortAll(table: NcclTable, abort: NcclAbort): void {
  const states = new Int32Array(table.states);
  const communicators = new BigUint64Array(table.communicators);
  const path = pathIn(table);
  for (const index of states.keys()) {
    const swap = (from: number, to: number): boolean =>
      Atomics.compareExchange(states, index, from, to) === from;
    // a thread moves its word from busy to idle meanwhile, at most
    if (swap(state.none, state.gone) || swap(state.busy, state.doomed)) continue;
    if (swap(state.idle, state.gone)) abort(path, Atomics.load(communicators, index));
  }
}

/** A replica's own place in the table. */
export class NcclSlot {
  readonly #table: NcclTable;
  readonly #states: Int32Array;
  readonly #communicators: BigUint64Array;
  readonly #index: number;

  constructor(table: NcclTable, index: number) {
    this.#table = table;
    this.#states = new Int32Array(table.states);
    this.#communicators = new BigUint64Array(table.communicators);
    this.#index = index;
  }

  /** Whether the thread that is within NCCL is to leave. */
  get doomed(): boolean {
    return Atomics.load(this.#states, this.#index) === state.doomed;
  }

  /** The first use: `work` hands over the communicator as soon as there is one. */
  open(
    path: string,
    work: (hand: (communicator: bigint) => void) => void,
    abort: (each: bigint) => void,
  ): void {
    const bytes = new TextEncoder().encode(path).subarray(0, pathBytes);
    new Uint8Array(this.#table.path, 4).set(bytes);
    Atomics.store(new Int32Array(this.#table.path, 0, 1), 0, bytes.length);
    if (!this.#swap(state.none, state.busy)) throw left();
    this.#leaving(
      () => work((communicator) => Atomics.store(this.#communicators, this.#index, communicator)),
      abort,
    );
  }

  /**
   * Calls NCCL, with nobody else ending the communicator meanwhile.
   * @throws PeerFailure when it was ended
   */
  use(work: (communicator: bigint) => void, abort: (each: bigint) => void): void {
    if (!this.#swap(state.idle, state.busy)) throw left();
    this.#leaving(() => work(this.#own()), abort);
  }

  /** Gives the communicator away for good, unless that has happened. */
  close(destroy: (communicator: bigint) => void): void {
    if (this.#swap(state.idle, state.gone) && this.#own() !== 0n) destroy(this.#own());
  }

  #leaving(work: () => void, abort: (each: bigint) => void): void {
    try {
      work();
    } catch (error) {
      this.#end(abort);
      throw error;
    }
    if (this.#swap(state.busy, state.idle)) return;
    this.#end(abort);
    throw left();
  }

  #end(abort: (each: bigint) => void): void {
    Atomics.store(this.#states, this.#index, state.gone);
    if (this.#own() !== 0n) abort(this.#own());
  }

  #own(): bigint {
    return Atomics.load(this.#communicators, this.#index);
  }

  #swap(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#states, this.#index, from, to) === from;
  }
}

/** The one that failed says why. */
export function left(): PeerFailure {
  return new PeerFailure('another replica has failed');
}

function pathIn(table: NcclTable): string {
  const length = Atomics.load(new Int32Array(table.path, 0, 1), 0);
  return new TextDecoder().decode(new Uint8Array(table.path, 4, length).slice());
}
