import koffi from 'koffi';
import { UserError } from '../../errors.js';
import type { Launch } from './launch.js';
import type { SumCalls } from './pending-sums.js';

/** Handles of Open MPI are addresses, those of MPICH and its kin are fixed numbers. */
interface Handles {
  readonly world: number;
  readonly float: number;
  readonly double: number;
  readonly byte: number;
  readonly sum: number;
  /** MPI_IN_PLACE. */
  readonly inPlace: bigint;
  /** MPI_STATUSES_IGNORE. */
  readonly ignoreStatuses: number;
}

/** The functions of MPI that are used here; buffers by address, or arrays of the host. */
export interface Mpi {
  readonly path: string;
  readonly kind: 'Open MPI' | 'MPICH';
  readonly handles: Handles;
  /** Begins MPI in the calling thread, which makes all further calls. @returns rank and size as MPI says */
  begin(): { rank: number; size: number };
  /** Adds in place. */
  allReduce(data: bigint | ArrayBufferView, count: number, type: number): void;
  broadcast(data: bigint | ArrayBufferView, count: number, type: number, root: number): void;
  barrier(): void;
  readonly sums: SumCalls;
  end(): void;
  /** Ends the processes of all ranks. */
  abort(code: number): void;
}

const openMpi = ['libmpi.so.40', 'libmpi.so.80', 'libmpi.so.20'];
const mpich = ['libmpich.so.12', 'libmpi.so.12'];
const plain = ['libmpi.so', 'libmpi.dylib', 'libmpich.so'];

/** MPI_THREAD_FUNNELED: one thread makes all calls. */
const funneled = 1;

/** Names of the library, the likeliest for the launcher first. */
export function libraryNames({ launcher }: Pick<Launch, 'launcher'>, chosen?: string): string[] {
  if (chosen) return [chosen];
  return launcher === 'openmpi' ? [...openMpi, ...plain] : [...mpich, ...plain, ...openMpi];
}

/**
 * Loads MPI's library.
 * @throws UserError when there is none
 */
export function loadMpi(launch: Launch, chosen: string | undefined = process.env.RESNODE_MPI): Mpi {
  const names = libraryNames(launch, chosen);
  for (const path of names) {
    let library: koffi.IKoffiLib;
    try {
      // global: Open MPI's own plugins look for its symbols
      library = koffi.load(path, { global: true });
    } catch {
      continue;
    }
    return bind(path, library);
  }
  throw new UserError(`this is rank ${launch.rank} of ${launch.size}, but no MPI library can be loaded`, {
    hint: `Install it on every machine (Debian: openmpi-bin or mpich), or name its file in RESNODE_MPI. Tried: ${names.join(', ')}.`,
  });
}

function bind(path: string, library: koffi.IKoffiLib): Mpi {
  const ompi = symbolsOf(library);
  const handles = ompi ?? {
    world: 0x44000000,
    float: 0x4c00040a,
    double: 0x4c00080b,
    byte: 0x4c00010d,
    sum: 0x58000003,
    inPlace: 0xffff_ffff_ffff_ffffn,
    ignoreStatuses: 1,
  };
  const handle = ompi ? 'uintptr_t' : 'int';
  const func = (name: string, ...types: string[]): ((...args: unknown[]) => number) => {
    const bound = library.func(name, 'int', types) as (...args: unknown[]) => number;
    return (...args) => {
      const status = bound(...args);
      if (status !== 0) throw new Error(`${name} has failed with error ${status}`);
      return status;
    };
  };
  const byAddress = { type: 'uintptr_t' };
  const byArray = { type: 'void *' };
  const reduce = [byAddress, byArray].map(({ type }) =>
    func('MPI_Allreduce', 'uintptr_t', type, 'int', handle, handle, handle),
  );
  const spread = [byAddress, byArray].map(({ type }) =>
    func('MPI_Bcast', type, 'int', handle, 'int', handle),
  );
  const init = func('MPI_Init_thread', 'void *', 'void *', 'int', 'int *');
  const rankOf = func('MPI_Comm_rank', handle, 'int *');
  const sizeOf = func('MPI_Comm_size', handle, 'int *');
  const request = 'void *';
  const beginSum = func('MPI_Iallreduce', 'uintptr_t', 'uintptr_t', 'int', handle, handle, handle, request);
  const testAll = func('MPI_Testall', 'int', 'void *', 'int *', 'uintptr_t');
  const waitAll = func('MPI_Waitall', 'int', 'void *', 'uintptr_t');
  const barrier = func('MPI_Barrier', handle);
  const finalize = func('MPI_Finalize');
  const abort = func('MPI_Abort', handle, 'int');
  const { world, sum, inPlace, ignoreStatuses } = handles;
  const which = (data: bigint | ArrayBufferView): number => (typeof data === 'bigint' ? 0 : 1);
  const result = new Int32Array(1);
  return {
    path,
    kind: ompi ? 'Open MPI' : 'MPICH',
    handles,
    begin() {
      init(null, null, funneled, result);
      const ask = (question: (...args: unknown[]) => number): number => {
        question(world, result);
        return result[0] as number;
      };
      return { rank: ask(rankOf), size: ask(sizeOf) };
    },
    allReduce: (data, count, type) => {
      reduce[which(data)]?.(inPlace, data, count, type, sum, world);
    },
    broadcast: (data, count, type, root) => {
      spread[which(data)]?.(data, count, type, root, world);
    },
    barrier: () => void barrier(world),
    sums: {
      requestBytes: ompi ? 8 : 4,
      begin: (data, count, type, request) => {
        beginSum(inPlace, data, count, type, sum, world, request);
      },
      test(count, requests) {
        testAll(count, requests, result, ignoreStatuses);
        return result[0] !== 0;
      },
      wait: (count, requests) => void waitAll(count, requests, ignoreStatuses),
    },
    end: () => void finalize(),
    abort: (code) => void abort(world, code),
  };
}

/** Addresses of Open MPI's predefined objects; undefined for another MPI. */
function symbolsOf(library: koffi.IKoffiLib): Handles | undefined {
  const at = (name: string): number => Number(koffi.address(library.symbol(name, 'void') as object));
  try {
    return {
      world: at('ompi_mpi_comm_world'),
      float: at('ompi_mpi_float'),
      double: at('ompi_mpi_double'),
      byte: at('ompi_mpi_byte'),
      sum: at('ompi_mpi_op_sum'),
      inPlace: 1n,
      ignoreStatuses: 0,
    };
  } catch {
    return undefined;
  }
}
