import type { Nccl, NcclReduction } from '../library.js';

/** What the fake's members have in common, as plain data. */
export interface FakeGpus {
  /** For each member: whether it has joined, a sum of its id, reductions enqueued, times aborted, times destroyed. */
  readonly words: SharedArrayBuffer;
  /** Numbers of each member in its last reduction. */
  readonly numbers: SharedArrayBuffer;
}

const word = { joined: 0, id: 1, enqueued: 2, aborted: 3, destroyed: 4 } as const;
const wordsOf = Object.keys(word).length;
const room = 64;

export function createFakeGpus(size: number): FakeGpus {
  return {
    // one word more, to sleep on
    words: new SharedArrayBuffer(4 * (wordsOf * size + 1)),
    numbers: new SharedArrayBuffer(4 * room * size),
  };
}

export interface FakeOptions {
  /** Codes that calls end with instead. */
  readonly codes?: { readonly join?: number; readonly allReduce?: number };
  /** What a communicator comes to after its first reduction. */
  readonly later?: number;
}

const texts: Readonly<Record<number, string>> = {
  1: 'unhandled cuda error',
  4: 'invalid argument',
  6: 'remote process exited',
};

/**
 * The contract of NCCL's calls as far as they are used, and a GPU that works its queue off: a reduction ends when all
 * members have enqueued theirs. It refuses what NCCL forbids. A member each, with the memory that lies on its GPU.
 */
export class FakeNccl implements Nccl {
  readonly path = '/fake/libnccl.so.2';
  readonly version = '2.30.7';
  readonly calls: Array<NcclReduction | string> = [];
  readonly memory = new Map<bigint, Float32Array>();
  readonly #gpus: FakeGpus;
  readonly #words: Int32Array;
  readonly #options: FakeOptions;
  #rank = -1;
  #size = 0;
  #looks = 0;

  constructor(gpus: FakeGpus, options: FakeOptions = {}) {
    this.#gpus = gpus;
    this.#words = new Int32Array(gpus.words);
    this.#options = options;
  }

  uniqueId(id: Uint8Array): number {
    this.calls.push('uniqueId');
    id.forEach((_, index) => {
      id[index] = 7 * index + 1;
    });
    return id.length === 128 ? 0 : 4;
  }

  join({ id, rank, size }: { id: Uint8Array; rank: number; size: number }) {
    this.calls.push(`join ${rank} of ${size}`);
    const { join: code } = this.#options.codes ?? {};
    if (code !== undefined) return { code, communicator: 0n };
    if (id.length !== 128 || rank >= size || this.#at(rank, word.joined))
      return { code: 4, communicator: 0n };
    [this.#rank, this.#size] = [rank, size];
    const sum = id.reduce((total, byte, index) => total + byte * (index + 1), 0);
    Atomics.store(this.#words, rank * wordsOf + word.id, sum);
    this.#add(word.joined);
    return { code: 7, communicator: this.#own() };
  }

  state(communicator: bigint) {
    this.#check(communicator);
    const ranks = Array.from({ length: this.#size }, (_, rank) => rank);
    if (!ranks.every((rank) => this.#at(rank, word.joined))) return { code: 0, state: 7 };
    if (ranks.some((rank) => this.#at(rank, word.id) !== this.#at(0, word.id))) return { code: 0, state: 4 };
    const { later } = this.#options;
    if (later !== undefined && this.#at(this.#rank, word.enqueued) > 0) return { code: 0, state: later };
    // every call takes a while
    return { code: 0, state: this.#looks++ % 3 < 2 ? 7 : 0 };
  }

  allReduce(reduction: NcclReduction): number {
    this.#check(reduction.communicator);
    this.calls.push(reduction);
    const { allReduce: code } = this.#options.codes ?? {};
    if (code !== undefined) return code;
    const numbers = this.memory.get(reduction.from);
    if (!numbers || numbers.length !== reduction.count) return 4;
    new Float32Array(this.#gpus.numbers, 4 * room * this.#rank, room).set(numbers);
    this.#add(word.enqueued);
    return 7;
  }

  hasJoined(rank: number): boolean {
    return this.#at(rank, word.joined) > 0;
  }

  /** As a thread waits for its GPU: until all members have enqueued as much, or its communicator is aborted. */
  synchronize(): 'done' | 'aborted' {
    const own = this.#at(this.#rank, word.enqueued);
    while (!this.#all((rank) => this.#at(rank, word.enqueued) >= own)) {
      if (this.#at(this.#rank, word.aborted)) return 'aborted';
      Atomics.wait(this.#words, wordsOf * this.#size, 0, 1);
    }
    const last = this.calls.findLast((call) => typeof call !== 'string');
    const into = last && this.memory.get(last.to);
    into?.fill(0);
    for (let rank = 0; rank < this.#size; rank++) {
      const part = new Float32Array(this.#gpus.numbers, 4 * room * rank, into?.length ?? 0);
      part.forEach((value, index) => {
        if (into) into[index] = (into[index] as number) + value;
      });
    }
    return 'done';
  }

  destroy(communicator: bigint): number {
    this.#check(communicator);
    this.#add(word.destroyed);
    this.calls.push('destroy');
    return 0;
  }

  abort(communicator: bigint): number {
    this.#check(communicator);
    this.calls.push('abort');
    return abortFake(this.#gpus, communicator);
  }

  async abortBeside(communicator: bigint): Promise<number> {
    return this.abort(communicator);
  }

  describe(code: number): string {
    return texts[code] ?? `code ${code}`;
  }

  #check(communicator: bigint): void {
    if (communicator !== this.#own()) throw new Error('the communicator of another member');
    if (this.#at(this.#rank, word.destroyed) + this.#at(this.#rank, word.aborted) > 0)
      throw new Error('a communicator is used that is gone');
  }

  #own(): bigint {
    return BigInt(1000 + this.#rank);
  }

  #all(holds: (rank: number) => boolean): boolean {
    return Array.from({ length: this.#size }, (_, rank) => rank).every(holds);
  }

  #at(rank: number, which: number): number {
    return Atomics.load(this.#words, rank * wordsOf + which);
  }

  #add(which: number): void {
    Atomics.add(this.#words, this.#rank * wordsOf + which, 1);
  }
}

/** Ends a member's communicator from any thread; twice is what NCCL would not survive. */
export function abortFake(gpus: FakeGpus, communicator: bigint): number {
  const words = new Int32Array(gpus.words);
  const at = (Number(communicator) - 1000) * wordsOf;
  if (Atomics.load(words, at + word.destroyed) > 0 || Atomics.add(words, at + word.aborted, 1) > 0)
    throw new Error('a communicator is aborted that is gone');
  return 0;
}
