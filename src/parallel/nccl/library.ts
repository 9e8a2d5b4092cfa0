import koffi from 'koffi';

/** Codes of ncclResult_t that are told apart. */
export const ncclSuccess = 0;
export const ncclInProgress = 7;
/** Of ncclDataType_t and ncclRedOp_t. */
export const ncclFloat32 = 7;
export const ncclSum = 0;
/** Bytes of an ncclUniqueId. */
export const idBytes = 128;

export interface NcclJoin {
  readonly id: Uint8Array;
  readonly rank: number;
  readonly size: number;
}

export interface NcclReduction {
  /** Addresses in the memory of the GPU; the same one twice reduces in place. */
  readonly from: bigint;
  readonly to: bigint;
  readonly count: number;
  readonly type: number;
  readonly operation: number;
  readonly communicator: bigint;
  /** A CUDA stream; 0 is the default one. */
  readonly stream: bigint;
}

/**
 * The functions of NCCL that are used here; they give NCCL's codes. Communicators do not block: a call that cannot
 * end at once gives `ncclInProgress`, and `state` says what became of it.
 */
export interface Nccl {
  readonly path: string;
  /** As 2.30.7. */
  readonly version: string;
  /** For the first member, which hands it to all. */
  uniqueId(id: Uint8Array): number;
  /** Begins to join, with the GPU that the calling thread has made current. @returns the communicator, 0 for none */
  join(join: NcclJoin): { readonly code: number; readonly communicator: bigint };
  allReduce(reduction: NcclReduction): number;
  state(communicator: bigint): { readonly code: number; readonly state: number };
  destroy(communicator: bigint): number;
  /** Ends what runs on the GPU, too. */
  abort(communicator: bigint): number;
  /** As {@link Nccl.abort}, in a thread of its own: it may take a while. */
  abortBeside(communicator: bigint): Promise<number>;
  /** @param communicator 0 where there is none */
  describe(code: number, communicator: bigint): string;
}

/**
 * Loads the first of several files that is NCCL and can be loaded.
 * @throws Error that says why the first one cannot
 */
export function loadNccl(paths: readonly string[]): Nccl {
  let first: unknown;
  for (const path of paths) {
    try {
      return bind(path, koffi.load(path));
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? new Error('there is none for this kind of GPU');
}

function bind(path: string, library: koffi.IKoffiLib): Nccl {
  const address = 'uintptr_t';
  // by value; without a name, since the library may be bound in several threads and more than once
  const uniqueId = koffi.struct({ internal: koffi.array('uint8_t', idBytes, 'Typed') });
  const func = (name: string, ...types: koffi.TypeSpec[]) => library.func(name, 'int', types);
  const versionOf = func('ncclGetVersion', 'void *');
  const idOf = func('ncclGetUniqueId', 'void *');
  const joinAs = func('ncclCommInitRankConfig', 'void *', 'int', uniqueId, 'int', 'void *');
  const reduce = func('ncclAllReduce', address, address, 'size_t', 'int', 'int', address, address);
  const stateOf = func('ncclCommGetAsyncError', address, 'void *');
  const destroy = func('ncclCommDestroy', address);
  const abort = func('ncclCommAbort', address);
  const errorText = library.func('ncclGetErrorString', 'const char *', ['int']);
  const lastError = library.func('ncclGetLastError', 'const char *', [address]);

  const number = new Int32Array(1);
  versionOf(number);
  const made = new BigUint64Array(1);
  const config = unblocking();
  return {
    path,
    version: versionText(number[0] ?? 0),
    uniqueId: (id) => idOf(id) as number,
    join({ id, rank, size }) {
      made[0] = 0n;
      const code = joinAs(made, size, { internal: id }, rank, config) as number;
      return { code, communicator: made[0] ?? 0n };
    },
    allReduce: ({ from, to, count, type, operation, communicator, stream }) =>
      reduce(from, to, count, type, operation, communicator, stream) as number,
    state(communicator) {
      const code = stateOf(communicator, number) as number;
      return { code, state: number[0] ?? 0 };
    },
    destroy: (communicator) => destroy(communicator) as number,
    abort: (communicator) => abort(communicator) as number,
    abortBeside: (communicator) =>
      new Promise((resolve, reject) => {
        abort.async(communicator, (error: Error | null, code: number) =>
          error ? reject(error) : resolve(code),
        );
      }),
    describe(code, communicator) {
      const detail = lastError(communicator) as string | null;
      return [errorText(code) as string, detail].filter(Boolean).join(': ');
    },
  };
}

/** An ncclConfig_t of 2.14, which later versions take as well: nothing set but that calls do not block. */
function unblocking(): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, 0xcafebeef, true);
  view.setUint32(12, 21400, true);
  view.setInt32(16, 0, true);
  return bytes;
}

function versionText(code: number): string {
  return `${Math.floor(code / 10_000)}.${Math.floor(code / 100) % 100}.${code % 100}`;
}
