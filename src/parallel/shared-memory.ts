import type { Communicator, Exchanged, FloatRange } from './communicator.js';
import { Meeting, type MeetingPlace, pieceBytes } from './meeting.js';
import { floatsAt } from './native-floats.js';

type Numbers = Float32Array | Float64Array;

/** Floats added at a time where there are more than two members: they stay in the first-level cache. */
const block = 2048;

/**
 * Threads of one process: they share the address space, so each adds its part of everybody's numbers where they lie.
 * Numbers on V8's heap, which no other thread can see, go through a shared piece of memory.
 */
export class SharedMemoryCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #meeting: Meeting;
  readonly #place: MeetingPlace;
  /** Everybody's numbers by their addresses: the flat buffers are the same in every step. */
  readonly #known = new Map<string, Float32Array>();
  readonly #sums = new Float64Array(block);

  constructor(place: MeetingPlace, rank: number) {
    this.rank = rank;
    this.size = place.size;
    this.#place = place;
    this.#meeting = new Meeting(place);
  }

  allReduce(data: Exchanged): void {
    if (isNative(data)) this.#reduceNative(data);
    else this.#throughPieces(data, (pieces, result) => this.#add(pieces, [result]));
  }

  broadcast(data: Exchanged, root: number): void {
    if (!isNative(data)) {
      this.#throughPieces(data, (pieces, result) => result.set(pieces[root] as Numbers));
      return;
    }
    const all = this.#everybodys(data);
    if (this.rank !== root) (all[this.rank] as Float32Array).set(all[root] as Float32Array);
    this.#meeting.meet();
  }

  barrier(): void {
    this.#meeting.meet();
  }

  close(): void {
    this.#known.clear();
  }

  #reduceNative(data: FloatRange): void {
    const all = this.#everybodys(data);
    // whole cache lines, so that no two threads write to the same one
    const share = Math.ceil(data.length / this.size / 16) * 16;
    const from = Math.min(data.length, this.rank * share);
    const parts = all.map((floats) => floats.subarray(from, Math.min(data.length, from + share)));
    this.#add(parts, parts);
    this.#meeting.meet();
  }

  /** Waits until all have told where their numbers lie, and so are done with writing them. */
  #everybodys({ address, length }: FloatRange): Float32Array[] {
    this.#meeting.tell(this.rank, address);
    this.#meeting.meet();
    return Array.from({ length: this.size }, (_, rank) => {
      const at = this.#meeting.addressOf(rank);
      const key = `${at}:${length}`;
      const known = this.#known.get(key) ?? floatsAt({ address: at, length });
      this.#known.set(key, known);
      return known;
    });
  }

  #throughPieces(data: Numbers, work: (pieces: Numbers[], result: Numbers) => void): void {
    const room = pieceBytes / data.BYTES_PER_ELEMENT;
    for (let from = 0; from < data.length; from += room) {
      const result = data.subarray(from, from + room);
      const pieces = Array.from({ length: this.size }, (_, rank) => this.#piece(rank, result));
      (pieces[this.rank] as Numbers).set(result);
      this.#meeting.meet();
      work(pieces, result);
      this.#meeting.meet();
    }
  }

  #piece(rank: number, like: Numbers): Numbers {
    const { pieces } = this.#place;
    return like instanceof Float64Array
      ? new Float64Array(pieces, rank * pieceBytes, like.length)
      : new Float32Array(pieces, rank * pieceBytes, like.length);
  }

  /** Adds in the order of the ranks. */
  #add(parts: readonly Numbers[], results: readonly Numbers[]): void {
    const [first, second] = parts;
    if (!first || !second) return;
    if (parts.length === 2 && results.length === 2) {
      addPair(first, second);
      return;
    }
    const sums = this.#sums;
    for (let from = 0; from < first.length; from += block) {
      const length = Math.min(block, first.length - from);
      sums.fill(0, 0, length);
      for (const part of parts) {
        for (let index = 0; index < length; index++) {
          sums[index] = (sums[index] as number) + (part[from + index] as number);
        }
      }
      for (const result of results) result.set(sums.subarray(0, length), from);
    }
  }
}

function addPair(first: Numbers, second: Numbers): void {
  for (let index = 0; index < first.length; index++) {
    const sum = (first[index] as number) + (second[index] as number);
    first[index] = sum;
    second[index] = sum;
  }
}

function isNative(data: Exchanged): data is FloatRange {
  return !(data instanceof Float32Array || data instanceof Float64Array);
}
