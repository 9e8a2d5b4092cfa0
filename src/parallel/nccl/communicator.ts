import { EngineError } from '../../errors.js';
import type { Communicator, DeviceFloats, Exchanged } from '../communicator.js';
import { type Nccl, type NcclJoin, ncclFloat32, ncclInProgress, ncclSuccess, ncclSum } from './library.js';
import { left, type NcclSlot } from './table.js';

/** Looks at a call that goes on, one after the other, before it sleeps in between. */
const eagerLooks = 1000;
const sleepMs = 0.5;

/**
 * Replicas on GPUs: numbers that lie there are added there, in the order of the stream and without the host waiting
 * for it. Everything of the host's goes as before.
 */
export class NcclCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly #nccl: Nccl;
  readonly #host: Communicator;
  readonly #slot: NcclSlot;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  /**
   * Joins the others; returns when all have.
   * @param options.host the same members, for the numbers of the host; closed with this one
   * @param options.id the same at all members
   * @throws EngineError with NCCL's words; PeerFailure when another member has failed
   */
  constructor(options: { nccl: Nccl; host: Communicator; slot: NcclSlot; id: Uint8Array }) {
    const { nccl, host, slot, id } = options;
    this.rank = host.rank;
    this.size = host.size;
    this.#nccl = nccl;
    this.#host = host;
    this.#slot = slot;
    slot.open(nccl.path, (hand) => this.#join({ id, rank: this.rank, size: this.size }, hand), this.#abort);
  }

  allReduceOnDevice({ address, length, stream }: DeviceFloats): void {
    this.#slot.use((communicator) => {
      const numbers = { from: address, to: address, count: length, type: ncclFloat32, operation: ncclSum };
      this.#settle('ncclAllReduce', this.#nccl.allReduce({ ...numbers, communicator, stream }), communicator);
    }, this.#abort);
  }

  allReduce(data: Exchanged): void {
    this.#host.allReduce(data);
  }

  broadcast(data: Exchanged, root: number): void {
    this.#host.broadcast(data, root);
  }

  barrier(): void {
    this.#host.barrier();
  }

  close(): void {
    this.#slot.close((communicator) => this.#nccl.destroy(communicator));
    this.#host.close();
  }

  #join(join: NcclJoin, hand: (communicator: bigint) => void): void {
    const { code, communicator } = this.#nccl.join(join);
    hand(communicator);
    this.#settle('ncclCommInitRankConfig', code, communicator);
  }

  /** Waits until a call is under way on the GPU: what is enqueued afterwards is ordered behind it. */
  #settle(call: string, code: number, communicator: bigint): void {
    if (code !== ncclSuccess && code !== ncclInProgress) this.#fail(call, code, communicator);
    for (let looks = 0; ; looks++) {
      const now = this.#nccl.state(communicator);
      if (now.code !== ncclSuccess) this.#fail('ncclCommGetAsyncError', now.code, communicator);
      if (now.state === ncclSuccess) return;
      if (now.state !== ncclInProgress) this.#fail(call, now.state, communicator);
      if (this.#slot.doomed) throw left();
      if (looks >= eagerLooks) Atomics.wait(this.#sleeper, 0, 0, sleepMs);
    }
  }

  readonly #abort = (communicator: bigint): void => {
    this.#nccl.abort(communicator);
  };

  #fail(call: string, code: number, communicator: bigint): never {
    throw new EngineError(`${call}: ${this.#nccl.describe(code, communicator)}`);
  }
}
