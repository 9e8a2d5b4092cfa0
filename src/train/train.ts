import { type Dataset, readDataset } from '../data/dataset.js';
import { Loader, type RejectedPicture } from '../data/loader/loader.js';
import { exitCodes, UserError } from '../errors.js';
import { RunLog } from '../report/run-log.js';
import { logLine } from '../report/training-log.js';
import type { Checkpoint, EpochResult } from './checkpoint.js';
import { CheckpointSaver } from './checkpoint-saver.js';
import {
  defaultWorkers,
  type ResolvedTraining,
  resolveTraining,
  type TrainConfig,
  type TrainSettings,
} from './config.js';
import { EngineClient } from './engine-client.js';
import { EpochQueue } from './epoch-queue.js';
import type { TrainListener } from './events.js';
import { readPreparation } from './preparation.js';
import { alreadyTrained, checkSameRun, resumePosition, resumeSchedule } from './resume.js';
import { RunFolder } from './run-folder.js';
import { runTransforms } from './run-transforms.js';
import { type Position, startPosition, Trainer } from './trainer.js';

/** Options of {@link train}. */
export interface TrainOptions extends TrainSettings {
  /** Name of the run, a folder below `runDir`. */
  project: string;
  /** Default: `runs`. */
  runDir?: string | undefined;
  /** Go on from the run's last checkpoint; false refuses a run that has one. Default true. */
  resume?: boolean | undefined;
  /** Aborted, the training saves where it is, within a batch, and ends with the status `stopped`. */
  signal?: AbortSignal | undefined;
  onProgress?: TrainListener | undefined;
}

/** What a training came to. */
export interface TrainResult {
  /** `stopped`: by the signal; the same call goes on from there. */
  readonly status: 'finished' | 'stopped';
  /** All epochs of the run, also those of earlier processes. */
  readonly history: readonly EpochResult[];
  /** Epochs finished, and batches of the next. */
  readonly epoch: number;
  readonly step: number;
  /** Epoch of the best validation accuracy, in percent. */
  readonly best: { readonly epoch: number; readonly accuracy: number } | null;
  /** Folder of the run. */
  readonly run: string;
  /** Paths of the newest checkpoint and of the best epoch's. */
  readonly checkpoints: { readonly last: string | undefined; readonly best: string | undefined };
  /** Pictures that could not be used. */
  readonly rejected: readonly RejectedPicture[];
}

/**
 * Trains a network on a dataset, or goes on with a training that was stopped.
 * @throws UserError for settings that do not fit, a run of another dataset or model, a run in use, a folder
 *   that cannot be written, a loss that is not finite
 * @example
 * const { best } = await train({ data: 'data', project: 'birds', epochs: 20 });
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const folder = new RunFolder(options);
  await folder.lock();
  const listen = options.onProgress ?? (() => {});
  const log = new RunLog(folder.log, ({ message }) =>
    listen({ kind: 'warning', message: `cannot write ${folder.log}: ${message}` }),
  );
  const early: string[] = [];
  const listener: TrainListener = (event) => {
    const line = logLine(event);
    if (line) early.push(line);
    // a run that is refused leaves no log
    if (folder.begun) for (const each of early.splice(0)) log.write(each);
    listen(event);
  };
  try {
    return await trainIn(folder, { options, listener, log });
  } catch (error) {
    if (folder.begun) log.write(`error: ${(error as Error).message}`);
    throw error;
  } finally {
    await log.flush();
    await folder.release();
  }
}

interface Run {
  readonly options: TrainOptions;
  readonly listener: TrainListener;
  readonly log: RunLog;
}

async function trainIn(folder: RunFolder, run: Run): Promise<TrainResult> {
  const { options, listener } = run;
  const warn = (message: string): void => listener({ kind: 'warning', message });
  const checkpoint = await folder.lastCheckpoint({
    onDamaged: (message) => warn(`${message}; going on from the one before`),
  });
  if (checkpoint && options.resume === false) throw alreadyTrained(folder, checkpoint);
  const dataset = await readDataset(dataOf(options, checkpoint?.info.config));
  if (checkpoint) checkSameRun(folder, checkpoint, dataset, options);
  const { project, runDir, resume, signal, onProgress, ...given } = options;
  const training = resolveTraining({ given, saved: checkpoint?.info.config, dataset });
  const { config, model } = training;
  const position = checkpoint ? resumePosition(checkpoint, training, dataset, warn) : startPosition;
  await begin(folder, config);
  listener({
    kind: 'start',
    run: folder.path,
    model: model.name,
    classes: dataset.classes.length,
    pictures: { train: dataset.train.length, val: dataset.val.length },
    crop: config.crop,
    batchSize: config.batchSize,
    epochs: config.epochs,
    resumed: checkpoint && { path: checkpoint.path, epoch: position.epoch, step: position.step },
  });
  const reached =
    position.epoch >= config.epochs
      ? ({ status: 'finished', position, rejected: [] } as const)
      : await trainFrom(position, { ...run, folder, dataset, training, checkpoint, warn });
  return {
    status: reached.status,
    history: reached.position.history,
    epoch: reached.position.epoch,
    step: reached.position.step,
    best: reached.position.best,
    run: folder.path,
    checkpoints: { last: await folder.marked('last'), best: await folder.marked('best') },
    rejected: reached.rejected,
  };
}

interface PreparedRun extends Run {
  readonly folder: RunFolder;
  readonly dataset: Dataset;
  readonly training: ResolvedTraining;
  readonly checkpoint: Checkpoint | undefined;
  readonly warn: (message: string) => void;
}

interface Reached {
  readonly status: TrainResult['status'];
  readonly position: Position;
  readonly rejected: readonly RejectedPicture[];
}

/** Starts the threads, trains, and ends them. */
async function trainFrom(position: Position, run: PreparedRun): Promise<Reached> {
  const { folder, dataset, training, checkpoint, listener, log, warn } = run;
  const signal = run.options.signal ?? new AbortController().signal;
  const preparation = await readPreparation(dataset.folder);
  const loader = await startLoader(dataset, training.config);
  let engine: EngineClient | undefined;
  try {
    loader.on('rejected', ({ file, reason }) => listener({ kind: 'rejected', file, reason }));
    // it reaches the training through the engine, which waits for its batches
    loader.on('failed', ({ message }) => log.write(`the loader failed: ${message}`));
    const { epochs } = training.config;
    const queue = new EpochQueue(loader, { ...position, epochs, validate: dataset.val.length > 0 });
    // loaded while the engine starts
    queue.upTo(position.epoch + 1);
    engine = await startEngine(run, loader, signal);
    if (!engine) return { status: 'stopped', position, rejected: loader.rejected };
    const saver = new CheckpointSaver({
      folder,
      keepLast: training.config.keepLast,
      onSaved: (saved) => listener({ kind: 'checkpoint', ...saved }),
      onFailed: (path, { message }) => warn(`cannot save ${path}: ${message}`),
    });
    const schedule = resumeSchedule(training, checkpoint);
    const trainer = new Trainer({
      ...{ training, dataset, preparation, folder, queue, engine, saver, schedule, position },
      ...{ listener, signal },
    });
    await setWeights(engine, run);
    const status = await trainer.run();
    const { epoch, step } = trainer.position;
    log.write(`${status} after epoch ${epoch}${step > 0 ? ` and ${step} batches of the next` : ''}`);
    return { status, position: trainer.position, rejected: loader.rejected };
  } finally {
    await Promise.all([engine?.close(), loader.close()]);
  }
}

function dataOf({ data }: TrainOptions, saved: TrainConfig | undefined): string {
  const folder = data ?? saved?.data;
  if (folder !== undefined) return folder;
  throw new UserError('no dataset was given', {
    exitCode: exitCodes.usage,
    hint: 'Give --data DATA, the folder that `resnode preprocess PICTURES --out DATA` made.',
  });
}

async function begin(folder: RunFolder, config: TrainConfig): Promise<void> {
  try {
    await folder.begin(config);
  } catch (error) {
    throw new UserError(`cannot write the run folder ${folder.path}: ${(error as Error).message}`, {
      hint: 'Make room or permission there, or give another --run-dir.',
      cause: error,
    });
  }
}

function startLoader(dataset: Dataset, config: TrainConfig): Promise<Loader> {
  const { train, val } = runTransforms(config);
  return Loader.start({
    folder: dataset.folder,
    samples: { train: dataset.train, val: dataset.val },
    mean: dataset.mean,
    std: dataset.std,
    height: config.crop,
    width: config.crop,
    batchSize: config.batchSize,
    valBatchSize: config.valBatchSize,
    trainTransforms: train,
    valTransforms: val,
    workers: config.workers ?? defaultWorkers(),
    seed: config.seed,
    minSide: dataset.minSide,
  });
}

/** @returns undefined when it was stopped meanwhile */
async function startEngine(
  { training, dataset, listener }: PreparedRun,
  loader: Loader,
  signal: AbortSignal,
): Promise<EngineClient | undefined> {
  const { config, model, optimizer } = training;
  const { batchSize, labelSmoothing, initialization, seed, threads, crop } = config;
  try {
    return await EngineClient.start(
      {
        engine: 'onednn',
        threads,
        model: model.description,
        classes: dataset.classes.length,
        height: crop,
        width: crop,
        training: { batchSize, optimizer: optimizer.spec, labelSmoothing, initialization, seed },
        ring: loader.ring,
        onMessage: (text) => listener({ kind: 'message', text }),
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function setWeights(engine: EngineClient, { training, checkpoint, warn }: PreparedRun): Promise<void> {
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
