/** MPI's calls for sums that go on while the caller does something else. */
export interface SumCalls {
  /** Bytes of a request: an address with Open MPI, an int with MPICH. */
  readonly requestBytes: number;
  /** Begins to add in place. @param request where its handle goes */
  begin(data: bigint, count: number, type: number, request: Uint8Array): void;
  /** Moves on the first `count` requests. @returns whether all are done */
  test(count: number, requests: Uint8Array): boolean;
  wait(count: number, requests: Uint8Array): void;
}

/** Sums under way at once; those before are waited for. */
const most = 256;

/** What has been begun and is not done yet. */
export class PendingSums {
  readonly #calls: SumCalls;
  readonly #requests: Uint8Array;
  #begun = 0;

  constructor(calls: SumCalls) {
    this.#calls = calls;
    this.#requests = new Uint8Array(most * calls.requestBytes);
  }

  begin(data: bigint, count: number, type: number): void {
    if (this.#begun === most) this.finish();
    const { requestBytes } = this.#calls;
    const at = this.#begun * requestBytes;
    this.#calls.begin(data, count, type, this.#requests.subarray(at, at + requestBytes));
    this.#begun += 1;
  }

  progress(): void {
    if (this.#begun > 0 && this.#calls.test(this.#begun, this.#requests)) this.#begun = 0;
  }

  finish(): void {
    if (this.#begun > 0) this.#calls.wait(this.#begun, this.#requests);
    this.#begun = 0;
  }
}
