import type { BackgroundSums, Communicator, Exchanged } from '../communicator.js';
import type { Mpi } from './library.js';

/** Numbers in one call: MPI counts them in 31 bits. */
const most = 2 ** 28;

/** The ranks of an MPI job. Used from the thread that began MPI, and only from there. */
export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly background: BackgroundSums;
  readonly #mpi: Mpi;

  constructor(mpi: Mpi, { rank, size }: { rank: number; size: number }) {
    this.#mpi = mpi;
    this.rank = rank;
    this.size = size;
    const pending = mpi.newRequests();
    this.background = {
      begin: (data) => this.#inParts(data, (part, count, type) => pending.sum(part as bigint, count, type)),
      progress: () => pending.test(),
      finish: () => pending.wait(),
    };
  }

  allReduce(data: Exchanged): void {
    this.#inParts(data, (part, count, type) => this.#mpi.allReduce(part, count, type));
  }

  broadcast(data: Exchanged, root: number): void {
    this.#inParts(data, (part, count, type) => this.#mpi.broadcast(part, count, type, root));
  }

  /** Hands round bytes, as long at every rank. */
  broadcastBytes(bytes: Uint8Array, root: number): void {
    for (let from = 0; from < bytes.length; from += most) {
      const part = bytes.subarray(from, from + most);
      this.#mpi.broadcast(part, part.length, this.#mpi.handles.byte, root);
    }
  }

  barrier(): void {
    this.#mpi.barrier();
  }

  /** MPI itself is ended by whoever began it. */
  close(): void {}

  #inParts(
    data: Exchanged,
    call: (part: bigint | ArrayBufferView, count: number, type: number) => void,
  ): void {
    const { float, double } = this.#mpi.handles;
    for (let from = 0; from < data.length; from += most) {
      const count = Math.min(most, data.length - from);
      if ('address' in data) call(data.address + BigInt(4 * from), count, float);
      else call(data.subarray(from, from + count), count, data instanceof Float64Array ? double : float);
    }
  }
}
