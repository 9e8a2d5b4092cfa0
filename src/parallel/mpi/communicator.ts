import type { BackgroundSums, Communicator, Exchanged } from '../communicator.js';
import type { Mpi } from './library.js';
import { PendingSums } from './pending-sums.js';

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
    const pending = new PendingSums(mpi.sums);
    this.background = {
      begin: ({ address, length }) => {
        const { float } = mpi.handles;
        for (const { from, count } of parts(length)) {
          pending.begin(address + BigInt(4 * from), count, float);
        }
      },
      progress: () => pending.progress(),
      finish: () => pending.finish(),
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
    for (const { from, count } of parts(bytes.length)) {
      this.#mpi.broadcast(bytes.subarray(from, from + count), count, this.#mpi.handles.byte, root);
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
    for (const { from, count } of parts(data.length)) {
      if ('address' in data) call(data.address + BigInt(4 * from), count, float);
      else call(data.subarray(from, from + count), count, data instanceof Float64Array ? double : float);
    }
  }
}

function* parts(length: number): Generator<{ from: number; count: number }> {
  for (let from = 0; from < length; from += most) yield { from, count: Math.min(most, length - from) };
}
