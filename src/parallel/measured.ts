import type { BackgroundSums, Communicator, DeviceFloats, Exchanged } from './communicator.js';

/** Counts the time that goes into the calls of another communicator. */
export class MeasuredCommunicator implements Communicator {
  /** Counts what the host spends: the GPU's own time passes beside it. */
  readonly allReduceOnDevice?: (data: DeviceFloats) => void;
  readonly background: BackgroundSums | undefined;
  readonly #inner: Communicator;
  #spentMs = 0;

  constructor(inner: Communicator) {
    this.#inner = inner;
    const { background } = inner;
    this.background = background && {
      begin: (data) => this.#measure(() => background.begin(data)),
      progress: () => this.#measure(() => background.progress()),
      finish: () => this.#measure(() => background.finish()),
    };
    if (inner.allReduceOnDevice) {
      this.allReduceOnDevice = (data) => this.#measure(() => inner.allReduceOnDevice?.(data));
    }
  }

  get rank(): number {
    return this.#inner.rank;
  }

  get size(): number {
    return this.#inner.size;
  }

  get spentMs(): number {
    return this.#spentMs;
  }

  allReduce(data: Exchanged): void {
    this.#measure(() => this.#inner.allReduce(data));
  }

  broadcast(data: Exchanged, root: number): void {
    this.#measure(() => this.#inner.broadcast(data, root));
  }

  barrier(): void {
    this.#measure(() => this.#inner.barrier());
  }

  close(): void {
    this.#inner.close();
  }

  #measure(call: () => void): void {
    const started = performance.now();
    call();
    this.#spentMs += performance.now() - started;
  }
}
