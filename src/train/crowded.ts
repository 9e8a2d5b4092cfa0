import { availableParallelism } from 'node:os';
import { physicalCores } from '../system/cpu.js';
import { coresBusyElsewhere } from '../system/load.js';

/** Less than this share of a core slows nothing much. */
const noticeable = 0.5;

/**
 * What to say when other processes keep the cores busy that the engine's threads want: threads that wait for each
 * other are as slow as the slowest. Takes a moment; measures beside whatever this process does.
 * @returns undefined when there is room for them
 */
export async function crowdedWarning(options: {
  /** Threads of the engine. Default: physical cores. */
  threads: number | undefined;
  cores?: number;
  measure?: () => Promise<number>;
}): Promise<string | undefined> {
  const { threads = physicalCores(), cores = availableParallelism(), measure = coresBusyElsewhere } = options;
  if (threads <= 1) return undefined;
  const busy = await measure();
  if (busy < noticeable || threads + busy <= cores + noticeable) return undefined;
  const free = Math.max(1, Math.floor(cores - busy));
  return `other processes keep ${busy.toFixed(1)} of ${cores} cores busy, and threads wait for the slowest: --threads ${free} is likely faster than ${threads}`;
}
