import { resolve } from 'node:path';
import { type Dataset, readDataset } from '../data/dataset.js';
import { Loader } from '../data/loader/loader.js';
import { exitCodes, UserError } from '../errors.js';
import { resnodeVersion } from '../version.js';
import type { Checkpoint, CheckpointInfo } from './checkpoint.js';
import { chooseDevices } from './choose-devices.js';
import { defaultWorkers } from './config.js';
import { EngineGroup, type TrainingEngine } from './engine-group.js';
import type { EvaluateOptions, EvaluateResult } from './evaluation.js';
import { meansOf } from './metrics.js';
import { pickCheckpoint } from './pick-checkpoint.js';
import { RejectedPictures } from './rejected-pictures.js';
import { threadsOfRank } from './replicas.js';
import type { SpanResult } from './span.js';
import { completeLists } from './transform-lists.js';
import type { World } from './world.js';

/** A trained network on an engine, with the validation pictures on their way to it. */
export interface Validation {
  readonly info: CheckpointInfo;
  readonly dataset: Dataset;
  readonly engine: TrainingEngine;
  /** Batches that were queued: the whole validation set. */
  readonly batches: number;
  readonly batchSize: number;
  /** Tells `onProgress` of batches done. */
  report(done: number): void;
  /**
   * What is reported of all pictures.
   * @throws UserError when the span of batches ended early; the signal's reason when that was the cause
   */
  finish(span: SpanResult): Promise<EvaluateResult>;
  close(): Promise<void>;
}

/**
 * Picks the checkpoint, reads the dataset, and starts loader and engine.
 * @param world the ranks that share the pictures; the first one's checkpoint is all ranks'
 * @throws UserError when there is no checkpoint, the dataset has other classes, or ranks were started otherwise
 */
export async function openValidation(
  options: EvaluateOptions,
  world: World | undefined,
): Promise<Validation> {
  const { signal, threads, onProgress, engine: wanted, devices = options.device } = options;
  const chosen = await chooseDevices({ engine: wanted, devices, localRank: world?.localRank });
  const { info, bytes, path } = await pickTogether(options, world);
  const data = options.data ?? info.config.data;
  const dataset = await readData(data, options.data === undefined);
  checkClasses(info, dataset, path);
  const batchSize = options.batchSize ?? info.config.valBatchSize;
  await world?.requireSame({
    'the version of resnode': resnodeVersion,
    "the dataset's fingerprint": dataset.fingerprint,
    'the number of replicas in a process': chosen.devices.length,
    batchSize,
  });
  const { height, width } = info.crop;
  const loader = await Loader.start({
    folder: dataset.folder,
    samples: { train: [], val: dataset.val },
    ...info.normalization,
    height,
    width,
    batchSize,
    valTransforms: completeLists(info.crop, info.config).val,
    workers: options.workers ?? defaultWorkers(world?.localSize),
    ...(world ? { share: { index: world.rank, of: world.size } } : {}),
    seed: info.seed,
    minSide: dataset.minSide,
  });
  const rejected = new RejectedPictures({ loader, world, listener: () => {} });
  let engine: TrainingEngine | undefined;
  const stop = (): void => engine?.stop();
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', stop);
    await Promise.all([engine?.close(), loader.close()]);
  };
  try {
    const { batches } = loader.enqueue({ split: 'val', epoch: 0 });
    const classes = info.classes.length;
    engine = await EngineGroup.start(
      {
        ...{ ...chosen, model: info.model.description, classes, height, width, ring: loader.ring },
        rank: world?.place,
        threads: threads ?? (world && threadsOfRank(world.localSize)),
      },
      // of several ranks none leaves alone: they agree on it before the first batch
      world ? undefined : signal,
    );
    await engine.call('restore', { bytes, path, optimizer: false });
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    return {
      info,
      dataset,
      engine,
      batches,
      batchSize,
      report: (done) => onProgress?.({ done, total: batches, seconds: seconds() }),
      finish: async (span) => {
        checkWhole(span, path, signal);
        await rejected.share();
        const { sums } = span;
        return {
          ...meansOf(sums),
          images: sums.images,
          seconds: seconds(),
          model: info.model.name,
          classes,
          checkpoint: path,
          epoch: info.epoch,
          data: resolve(data),
          rejected: rejected.all,
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first rank picks for all. */
async function pickTogether(options: EvaluateOptions, world: World | undefined): Promise<Checkpoint> {
  if (!world) return pickCheckpoint(options);
  return world.sameCheckpoint(world.rank === 0 ? await pickCheckpoint(options) : undefined);
}

function checkWhole({ ended, reason }: SpanResult, path: string, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
  // the signal came to another rank
  if (ended === 'stopped') throw new UserError('interrupted', { exitCode: exitCodes.terminated });
  if (ended === 'starved') throw new UserError(`the pictures cannot be loaded: ${reason}`);
  if (ended === 'notFinite')
    throw new UserError(`the network of ${path} gives a loss that is NaN or infinite`);
}

async function readData(folder: string, remembered: boolean): Promise<Dataset> {
  try {
    return await readDataset(folder);
  } catch (error) {
    if (!remembered || !(error instanceof UserError)) throw error;
    throw new UserError(`the dataset of the training cannot be read: ${error.message}`, {
      hint: 'Say where it lies now with --data DATA.',
      cause: error,
    });
  }
}

function checkClasses({ classes }: CheckpointInfo, dataset: Dataset, path: string): void {
  const count = Math.max(classes.length, dataset.classes.length);
  for (let id = 0; id < count; id++) {
    if (classes[id] === dataset.classes[id]) continue;
    const name = (label: string | undefined): string => (label === undefined ? 'missing' : `'${label}'`);
    throw new UserError(
      `${dataset.folder} has other classes than the network of ${path}: class ${id} is ${name(dataset.classes[id])} there and ${name(classes[id])} here`,
      { hint: 'Give the dataset that it was trained on, or one with the same classes, with --data.' },
    );
  }
}
