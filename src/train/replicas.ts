import { availableParallelism, cpus } from 'node:os';
import type { Dataset } from '../data/dataset.js';
import { exitCodes, UserError } from '../errors.js';
import { physicalCores } from '../system/cpu.js';
import { resnodeVersion } from '../version.js';
import type { TrainConfig } from './config.js';
import type { Facts } from './world.js';

/** Threads of each of several replicas that share them, at least one. */
export function threadsOfEach(replicas: number, threads: number = physicalCores()): number[] {
  return Array.from({ length: replicas }, (_, index) => {
    const rest = index < threads % replicas ? 1 : 0;
    return Math.max(1, Math.floor(threads / replicas) + rest);
  });
}

/** @throws UserError for a batch that cannot be shared out equally */
export function checkBatchShares(batchSize: number, members: number): void {
  if (batchSize % members === 0) return;
  const below = Math.floor(batchSize / members) * members;
  const choices = (below > 0 ? [below, below + members] : [members]).join(' and ');
  throw new UserError(`the batch size of ${batchSize} is not divisible by the ${members} replicas`, {
    exitCode: exitCodes.usage,
    hint: `It is the batch of all replicas together: ${choices} ${below > 0 ? 'are' : 'is'}.`,
  });
}

/** Threads of a rank when nobody says how many: all cores that the launcher has bound it to, or its part of them. */
export function threadsOfRank(localSize: number): number {
  const bound = availableParallelism() < cpus().length;
  return bound ? physicalCores() : Math.max(1, Math.floor(physicalCores() / localSize));
}

/** Settings that may differ from rank to rank: they change nothing of the result. */
const ownSettings = new Set<keyof TrainConfig>([
  'data',
  'devices',
  'workers',
  'threads',
  'keepLast',
  'tensorboard',
  'histograms',
  'mistakes',
]);

/** What all ranks of a training have to have alike. */
export function sharedFacts({
  config,
  dataset,
  replicas,
}: {
  config: TrainConfig;
  dataset: Dataset;
  replicas: number;
}): Facts {
  const settings = Object.entries(config).filter(([name]) => !ownSettings.has(name as keyof TrainConfig));
  return {
    'the version of resnode': resnodeVersion,
    "the dataset's fingerprint": dataset.fingerprint,
    'the number of replicas in a process': replicas,
    ...Object.fromEntries(settings),
  };
}
