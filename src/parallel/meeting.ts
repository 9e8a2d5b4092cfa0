import { PeerFailure } from './communicator.js';

/** Where the threads of a group meet, as plain data that can be posted to another thread. */
export interface MeetingPlace {
  readonly control: SharedArrayBuffer;
  /** Numbers under way between the members: a piece each. */
  readonly pieces: SharedArrayBuffer;
  readonly size: number;
}

/** Words of the control block; after them a 64-bit address for each member, then the message of a failure. */
const word = { arrived: 0, round: 1, state: 2, messageLength: 3 } as const;
const headerBytes = 16;
const messageBytes = 4096;
const state = { running: 0, failing: 1, failed: 2 } as const;

/** Bytes of a member's piece. */
export const pieceBytes = 64 * 1024;

/** Milliseconds after which a wait looks for a failure again; whoever fails notifies, so it is only a safety. */
const patience = 200;

export function createMeetingPlace(size: number): MeetingPlace {
  return {
    size,
    control: new SharedArrayBuffer(headerBytes + 8 * size + messageBytes),
    pieces: new SharedArrayBuffer(pieceBytes * size),
  };
}

/** Ends every wait at the place, now and later, with this message; the first one stays. */
export function failMeeting(place: MeetingPlace, message: string): void {
  const control = new Int32Array(place.control, 0, 4);
  if (Atomics.compareExchange(control, word.state, state.running, state.failing) !== state.running) return;
  const text = new TextEncoder().encode(message).subarray(0, messageBytes);
  new Uint8Array(place.control, headerBytes + 8 * place.size).set(text);
  Atomics.store(control, word.messageLength, text.length);
  Atomics.store(control, word.state, state.failed);
  Atomics.notify(control, word.round);
}

/** A member's side of the place. */
export class Meeting {
  readonly #place: MeetingPlace;
  readonly #control: Int32Array;
  readonly #addresses: BigUint64Array;

  constructor(place: MeetingPlace) {
    this.#place = place;
    this.#control = new Int32Array(place.control, 0, 4);
    this.#addresses = new BigUint64Array(place.control, headerBytes, place.size);
  }

  /**
   * Returns when all members are here.
   * @throws PeerFailure when one of them has failed
   */
  meet(): void {
    const control = this.#control;
    const round = Atomics.load(control, word.round);
    this.#check();
    if (Atomics.add(control, word.arrived, 1) + 1 === this.#place.size) {
      Atomics.store(control, word.arrived, 0);
      Atomics.add(control, word.round, 1);
      Atomics.notify(control, word.round);
      return;
    }
    while (Atomics.load(control, word.round) === round) {
      this.#check();
      Atomics.wait(control, word.round, round, patience);
    }
  }

  /** Says where this member's numbers lie; the others know it after the next meeting. */
  tell(rank: number, address: bigint): void {
    this.#addresses[rank] = address;
  }

  addressOf(rank: number): bigint {
    return this.#addresses[rank] as bigint;
  }

  #check(): void {
    if (Atomics.load(this.#control, word.state) !== state.failed) return;
    const length = Atomics.load(this.#control, word.messageLength);
    const bytes = new Uint8Array(this.#place.control, headerBytes + 8 * this.#place.size, length).slice();
    throw new PeerFailure(new TextDecoder().decode(bytes));
  }
}
