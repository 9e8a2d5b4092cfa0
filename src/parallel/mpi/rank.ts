import { UserError } from '../../errors.js';
import { MpiCommunicator } from './communicator.js';
import type { Launch } from './launch.js';
import { loadMpi, type Mpi } from './library.js';

/** What the ranks found of a text that all should have alike. */
export interface Compared {
  /** The first rank's. */
  readonly first: string;
  /** Ranks that have another. */
  readonly differing: readonly number[];
  /** The text of the first of these; the first rank's where there is none. */
  readonly other: string;
}

/** MPI in the thread that makes all its calls, and what the ranks tell each other before the training. */
export class MpiRank {
  readonly communicator: MpiCommunicator;
  readonly #mpi: Mpi;

  private constructor(mpi: Mpi, communicator: MpiCommunicator) {
    this.#mpi = mpi;
    this.communicator = communicator;
  }

  /** @throws UserError when there is no MPI, or it is not the one that the launcher belongs to */
  static join(launch: Launch): MpiRank {
    const mpi = loadMpi(launch);
    const found = mpi.begin();
    if (found.rank !== launch.rank || found.size !== launch.size) {
      const message = `the launcher has started ${launch.size} ranks, but ${mpi.path} (${mpi.kind}) finds ${found.size}`;
      throw new UserError(message, {
        hint: 'Launcher and library are of different MPIs: use the mpirun that belongs to it, or name the other library in RESNODE_MPI.',
      });
    }
    return new MpiRank(mpi, new MpiCommunicator(mpi, found));
  }

  /** Hands the bytes of one rank to all. @param bytes of that rank */
  exchange(bytes: Uint8Array | undefined, root = 0): Uint8Array<ArrayBuffer> {
    const length = Float64Array.of(bytes?.length ?? 0);
    this.communicator.broadcast(length, root);
    const all = new Uint8Array(length[0] as number);
    if (this.communicator.rank === root && bytes) all.set(bytes);
    this.communicator.broadcastBytes(all, root);
    return all;
  }

  /** What each rank has to say, in their order; where none has anything, this is one small sum. */
  gather(text: string): string[] {
    const { rank, size } = this.communicator;
    const own = new TextEncoder().encode(text);
    const lengths = new Float64Array(size);
    lengths[rank] = own.length;
    this.communicator.allReduce(lengths);
    return Array.from(lengths, (length, root) =>
      length === 0 ? '' : new TextDecoder().decode(this.exchange(root === rank ? own : undefined, root)),
    );
  }

  compare(text: string): Compared {
    const { rank, size } = this.communicator;
    const of = (root: number): string =>
      new TextDecoder().decode(this.exchange(new TextEncoder().encode(text), root));
    const first = of(0);
    const differs = new Float64Array(size);
    differs[rank] = first === text ? 0 : 1;
    this.communicator.allReduce(differs);
    const differing = [...differs.keys()].filter((each) => differs[each] !== 0);
    return { first, differing, other: of(differing[0] ?? 0) };
  }

  /** Returns when all ranks end. */
  end(): void {
    this.#mpi.end();
  }

  /** Ends the processes of all ranks, this one too. */
  abort(code: number): void {
    this.#mpi.abort(code);
  }
}
