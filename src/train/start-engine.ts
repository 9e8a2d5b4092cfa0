import type { Dataset } from '../data/dataset.js';
import type { Loader } from '../data/loader/loader.js';
import type { Checkpoint } from './checkpoint.js';
import type { ChosenDevices } from './choose-devices.js';
import type { ResolvedTraining } from './config.js';
import { EngineGroup, type TrainingEngine } from './engine-group.js';
import type { TrainListener } from './events.js';
import type { Precision } from './precision/precision.js';
import { threadsOfRank } from './replicas.js';
import type { World } from './world.js';

interface EngineStart {
  readonly training: ResolvedTraining;
  readonly dataset: Dataset;
  readonly listener: TrainListener;
  readonly world: World | undefined;
  readonly precision: Precision;
  readonly chosen: ChosenDevices;
  /** Where the loader puts batches. */
  readonly ring: Loader['ring'];
  readonly signal: AbortSignal;
}

interface WeightsOptions {
  readonly training: ResolvedTraining;
  /** Absent at the start of a run. */
  readonly checkpoint: Checkpoint | undefined;
  readonly warn: (message: string) => void;
}

/** Starts the engines of a training, one for each replica. @returns undefined when it was stopped meanwhile */
export async function startEngine({
  training,
  dataset,
  listener,
  world,
  precision,
  chosen,
  ring,
  signal,
}: EngineStart): Promise<TrainingEngine | undefined> {
  const { config, model, optimizer } = training;
  const { batchSize, labelSmoothing, initialization, seed, threads, crop, syncBatchNorm } = config;
  const { accumulate, clipNorm, clipValue } = config;
  const overlap = config.overlap === 'on' || (config.overlap !== 'off' && (world?.severalMachines ?? false));
  const path = { accumulate, clipNorm: clipNorm || undefined, clipValue: clipValue || undefined };
  try {
    return await EngineGroup.start(
      {
        rank: world?.place,
        threads: threads ?? (world && threadsOfRank(world.localSize)),
        ...chosen,
        model: model.description,
        classes: dataset.classes.length,
        height: crop,
        width: crop,
        precision,
        training: {
          ...{ batchSize, optimizer: optimizer.spec, labelSmoothing, initialization, seed },
          ...{ syncBatchNorm, overlap, ...path },
        },
        ring,
        onMessage: (text) => listener({ kind: 'message', text }),
      },
      // of several ranks none leaves alone: they agree on it before the first step
      world ? undefined : signal,
    );
  } catch (error) {
    if (signal.aborted && !world) return undefined;
    throw error;
  }
}

/** Sets first weights, or those of a checkpoint. */
export async function setWeights(
  engine: TrainingEngine,
  { training, checkpoint, warn }: WeightsOptions,
): Promise<void> {
  const { config } = training;
  if (!checkpoint) {
    await engine.call('initialize', { seed: config.seed });
    return;
  }
  const { bytes, path, info } = checkpoint;
  const before = info.config.optimizer.kind;
  const optimizer = before === config.optimizer.kind;
  if (!optimizer) {
    warn(`the optimizer is ${config.optimizer.kind} from here on; what ${before} had gathered is dropped`);
  }
  await engine.call('restore', { bytes, path, optimizer });
}
