import { type Dataset, readDataset } from '../data/dataset.js';
import { Loader, type RejectedPicture } from '../data/loader/loader.js';
import { CenterCrop } from '../data/transforms/center-crop.js';
import { HorizontalFlip } from '../data/transforms/horizontal-flip.js';
import { RandomCrop } from '../data/transforms/random-crop.js';
import { exitCodes, UserError } from '../errors.js';
import { createModel } from '../models/index.js';
import { RunLog } from '../report/run-log.js';
import { epochText } from '../report/training-line.js';
import type { Checkpoint, EpochResult } from './checkpoint.js';
import { CheckpointSaver } from './checkpoint-saver.js';
import {
  defaultWorkers,
  type ResolvedTraining,
  resolveTraining,
  sameModel,
  type TrainConfig,
  type TrainSettings,
} from './config.js';
import { EngineClient } from './engine-client.js';
import type { TrainEvent, TrainListener } from './events.js';
import { noSums } from './metrics.js';
import { readPreparation } from './preparation.js';
import { RunFolder } from './run-folder.js';
import { Schedule } from './schedules/index.js';
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
  const listener: TrainListener = (event) => {
    const line = logLine(event);
    if (line) log.write(line);
    listen(event);
  };
  try {
    return await trainIn(folder, { options, listener, log });
  } catch (error) {
    log.write(`error: ${(error as Error).message}`);
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

async function trainIn(folder: RunFolder, { options, listener, log }: Run): Promise<TrainResult> {
  const warn = (message: string): void => listener({ kind: 'warning', message });
  const checkpoint = await folder.lastCheckpoint({
    onDamaged: (message) => warn(`${message}; going on from the one before`),
  });
  if (checkpoint && options.resume === false) throw alreadyTrained(folder, checkpoint);
  const dataset = await readDataset(dataOf(options, checkpoint?.info.config));
  if (checkpoint) checkSameRun(folder, checkpoint, dataset, options);
  const { project, runDir, resume, signal = new AbortController().signal, onProgress, ...given } = options;
  const training = resolveTraining({ given, saved: checkpoint?.info.config, dataset });
  const { config, model } = training;
  const schedule = makeSchedule(training, checkpoint);
  const position = checkpoint ? positionOf(checkpoint, training, dataset, warn) : startPosition;
  await writeConfig(folder, config);
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
  const result = async (
    status: TrainResult['status'],
    reached: Position,
    rejected: readonly RejectedPicture[],
  ): Promise<TrainResult> => ({
    status,
    history: reached.history,
    epoch: reached.epoch,
    step: reached.step,
    best: reached.best,
    run: folder.path,
    checkpoints: { last: await folder.marked('last'), best: await folder.marked('best') },
    rejected,
  });
  if (position.epoch >= config.epochs) return result('finished', position, []);

  const loader = await startLoader(dataset, config);
  let engine: EngineClient | undefined;
  try {
    loader.on('rejected', ({ file, reason }) => listener({ kind: 'rejected', file, reason }));
    // the error reaches us through the engine, which waits for its batches
    loader.on('failed', ({ message }) => log.write(`loader failed: ${message}`));
    const saver = new CheckpointSaver({
      folder,
      keepLast: config.keepLast,
      onSaved: (saved) => listener({ kind: 'checkpoint', ...saved }),
      onFailed: (path, { message }) => warn(`cannot save ${path}: ${message}; the training goes on`),
    });
    const preparation = await readPreparation(dataset.folder);
    const parts = {
      training,
      dataset,
      preparation,
      folder,
      loader,
      saver,
      schedule,
      position,
      listener,
      signal,
    };
    engine = await startEngine(training, { dataset, loader, listener, signal });
    if (!engine) return await result('stopped', position, loader.rejected);
    const trainer = new Trainer({ ...parts, engine });
    trainer.prefetch();
    await setWeights(engine, { training, checkpoint, warn });
    const status = await trainer.run();
    log.write(
      `${status} after epoch ${trainer.position.epoch}${trainer.position.step ? `, step ${trainer.position.step} of the next` : ''}`,
    );
    return await result(status, trainer.position, loader.rejected);
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

function alreadyTrained(folder: RunFolder, { info }: Checkpoint): UserError {
  return new UserError(`the run ${folder.path} has been trained already, up to epoch ${info.epoch}`, {
    hint: 'Give another --project to start anew, or go on with it by leaving out --no-resume. Nothing was changed.',
  });
}

function checkSameRun(
  folder: RunFolder,
  { info }: Checkpoint,
  dataset: Dataset,
  { model }: TrainOptions,
): void {
  const hint = 'Give another --project for a new training. Nothing was changed.';
  if (info.classes.join('\n') !== dataset.classes.join('\n')) {
    throw new UserError(
      `the run ${folder.path} tells ${info.classes.length} other classes apart than the ${dataset.classes.length} of ${dataset.folder}`,
      { hint },
    );
  }
  if (info.dataset !== dataset.fingerprint) {
    throw new UserError(
      `the run ${folder.path} was trained on other pictures than those of ${dataset.folder}`,
      {
        hint: `${hint} (Its own were in ${info.config.data}.)`,
      },
    );
  }
  if (model === undefined) return;
  const wanted = createModel(model);
  if (sameModel(wanted.description, info.model.description)) return;
  throw new UserError(`the run ${folder.path} trains ${info.model.name}, not ${wanted.name}`, { hint });
}

function makeSchedule({ config }: ResolvedTraining, checkpoint: Checkpoint | undefined): Schedule {
  const { schedule: spec, learningRate: baseRate } = config;
  const saved = checkpoint?.info;
  const schedule = new Schedule(spec, { baseRate, saved: saved?.schedule, epochs: saved?.epoch ?? 0 });
  if (saved && saved.config.learningRate !== baseRate) schedule.rebase();
  return schedule;
}

/** Where to go on: in the middle of an epoch only when its batches are the same as before. */
function positionOf(
  { info }: Checkpoint,
  { config }: ResolvedTraining,
  dataset: Dataset,
  warn: (message: string) => void,
): Position {
  const { epoch, step, globalStep, running, history, best } = info;
  const base = { ...startPosition, epoch, globalStep, history, best };
  if (step === 0) return base;
  const before = info.config;
  const same =
    config.seed === before.seed &&
    config.batchSize === before.batchSize &&
    Math.floor(dataset.train.length / config.batchSize) === info.stepsPerEpoch;
  if (same) {
    const { seconds = 0, ...sums } = running ?? (noSums as typeof noSums & { seconds?: number });
    return { ...base, step, sums, seconds };
  }
  warn(`batch size or seed differ from before: epoch ${epoch + 1} starts over`);
  return base;
}

async function writeConfig(folder: RunFolder, config: TrainConfig): Promise<void> {
  try {
    await folder.writeConfig(config);
  } catch (error) {
    throw new UserError(`cannot write the run folder ${folder.path}: ${(error as Error).message}`, {
      hint: 'Make room or permission there, or give another --run-dir.',
      cause: error,
    });
  }
}

function startLoader(dataset: Dataset, config: TrainConfig): Promise<Loader> {
  const size = { height: config.crop, width: config.crop };
  return Loader.start({
    folder: dataset.folder,
    samples: { train: dataset.train, val: dataset.val },
    mean: dataset.mean,
    std: dataset.std,
    ...size,
    batchSize: config.batchSize,
    valBatchSize: config.valBatchSize,
    trainTransforms: [RandomCrop(size), ...(config.flip ? [HorizontalFlip()] : [])],
    valTransforms: [CenterCrop(size)],
    workers: config.workers ?? defaultWorkers(),
    seed: config.seed,
    minSide: dataset.minSide,
  });
}

/** @returns undefined when it was stopped meanwhile */
async function startEngine(
  { config, model, optimizer }: ResolvedTraining,
  {
    dataset,
    loader,
    listener,
    signal,
  }: { dataset: Dataset; loader: Loader; listener: TrainListener; signal: AbortSignal },
): Promise<EngineClient | undefined> {
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

async function setWeights(
  engine: EngineClient,
  {
    training,
    checkpoint,
    warn,
  }: { training: ResolvedTraining; checkpoint: Checkpoint | undefined; warn: (message: string) => void },
): Promise<void> {
  const { config } = training;
  if (!checkpoint) {
    await engine.call('initialize', { seed: config.seed });
    return;
  }
  const { bytes, path, info } = checkpoint;
  const optimizer = info.config.optimizer.kind === config.optimizer.kind;
  if (!optimizer)
    warn(
      `the optimizer is ${config.optimizer.kind} from here on; what ${info.config.optimizer.kind} had gathered is dropped`,
    );
  await engine.call('restore', { bytes, path, optimizer });
}

/** What output.log says of an event. */
function logLine(event: TrainEvent): string | undefined {
  switch (event.kind) {
    case 'start': {
      const { model, classes, pictures, crop, batchSize, epochs, resumed } = event;
      const what = `${model}, ${classes} classes, ${pictures.train} + ${pictures.val} pictures, crop ${crop}, batch ${batchSize}, ${epochs} epochs`;
      return resumed
        ? `resume from ${resumed.path} (epoch ${resumed.epoch}, step ${resumed.step}): ${what}`
        : `start: ${what}`;
    }
    case 'epoch':
      return `${epochText(event)} (${event.seconds.toFixed(1)} s)`;
    case 'checkpoint':
      return `saved ${event.path}${event.best ? ' (the best so far)' : ''}`;
    case 'learningRate':
      return `learning rate ${event.from} -> ${event.to}`;
    case 'rejected':
      return `rejected ${event.file}: ${event.reason}`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'message':
      return event.text;
    default:
      return undefined;
  }
}
