import { availableParallelism, cpus } from 'node:os';
import type { Dataset } from '../data/dataset.js';
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
  'cache',
  'cacheSize',
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
