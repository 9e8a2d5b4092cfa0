/** This process as one of several that a launcher has started. */
export interface Launch {
  readonly launcher: 'openmpi' | 'hydra' | 'slurm';
  /** 0 to size - 1. */
  readonly rank: number;
  readonly size: number;
  /** Ranks on this machine, as far as the launcher says. */
  readonly localSize: number;
  /** Among those, as far as the launcher says. */
  readonly localRank: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Words {
  readonly launcher: Launch['launcher'];
  readonly rank: string;
  readonly size: string;
  readonly localSize: readonly string[];
  readonly localRank: string;
  /** Set only within what the launcher has started. */
  readonly needs?: string;
}

const known: readonly Words[] = [
  {
    launcher: 'openmpi',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    localSize: ['OMPI_COMM_WORLD_LOCAL_SIZE'],
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
  },
  // MPICH, Intel MPI, MVAPICH
  {
    launcher: 'hydra',
    rank: 'PMI_RANK',
    size: 'PMI_SIZE',
    localSize: ['MPI_LOCALNRANKS'],
    localRank: 'MPI_LOCALRANKID',
  },
  // a batch script has the first two as well: only a step is started as ranks
  {
    launcher: 'slurm',
    rank: 'SLURM_PROCID',
    size: 'SLURM_STEP_NUM_TASKS',
    localSize: ['SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE'],
    localRank: 'SLURM_LOCALID',
    needs: 'SLURM_STEP_ID',
  },
];

/**
 * Finds out from the environment whether mpirun, mpiexec or srun has started this process as one of several.
 * @returns undefined for a process that is alone
 */
export function findLaunch(environment: Environment): Launch | undefined {
  for (const { launcher, rank, size, localSize, localRank, needs } of known) {
    if (needs !== undefined && environment[needs] === undefined) continue;
    const [own, all] = [whole(environment[rank]), whole(environment[size])];
    if (own === undefined || all === undefined || all < 2 || own >= all) continue;
    const here = localSize.map((name) => whole(environment[name])).find((count) => count !== undefined);
    const count = Math.max(1, here ?? 1);
    const place = whole(environment[localRank]) ?? own % count;
    return { launcher, rank: own, size: all, localSize: count, localRank: place };
  }
  return undefined;
}

/** Whether another process than this one leads: writes, prints, says what all found. */
export function followsAnother(environment: Environment = process.env): boolean {
  return (findLaunch(environment)?.rank ?? 0) > 0;
}

/** `4`, and the first of SLURM's `4(x2),3`. */
function whole(text: string | undefined): number | undefined {
  const digits = /^\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}
