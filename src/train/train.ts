import { type Dataset, readDataset } from '../data/dataset.js';
import type { RejectedPicture } from '../data/loader/loader.js';
import { exitCodes, UserError } from '../errors.js';
import { type LogRecord, logRecord } from '../report/log-record.js';
import type { LogSettings } from '../report/log-settings.js';
import { RunLog } from '../report/run-log.js';
import { openBoard } from '../report/tensorboard/open-board.js';
import { microBatchSize } from './batch-shares.js';
import type { Checkpoint, EpochResult } from './checkpoint.js';
import { CheckpointSaver } from './checkpoint-saver.js';
import { type ChosenDevices, chooseDevices } from './choose-devices.js';
import { type ResolvedTraining, resolveTraining, type TrainConfig, type TrainSettings } from './config.js';
import { crowdedWarning } from './crowded.js';
import type { TrainingEngine } from './engine-group.js';
import { EpochQueue } from './epoch-queue.js';
import type { TrainListener } from './events.js';
import { LoaderThreads, mostLoaderThreads } from './loader-threads.js';
import { cacheFor, dropCache } from './picture-cache.js';
import { choosePrecision } from './precision/choose-precision.js';
import type { Precision } from './precision/precision.js';
import { readPreparation } from './preparation.js';
import { RejectedPictures } from './rejected-pictures.js';
import { sharedFacts } from './replicas.js';
import { alreadyTrained, checkSameRun, resumePosition, resumeSchedule } from './resume.js';
import { RunFolder } from './run-folder.js';
import { setWeights, startEngine } from './start-engine.js';
import { chosenWorkers, startLoader } from './start-loader.js';
import { findStart, type StartingPoint, settleStart } from './starting-point.js';
import { type Position, startPosition, Trainer } from './trainer.js';
import { World } from './world.js';

/** Options of {@link train}. */
export interface TrainOptions extends TrainSettings {
  /** Name of the run, a folder below `runDir`; with `fork`, of the run to start from. */
  project: string;
  /** Default: `runs`. */
  runDir?: string | undefined;
  /**
   * Go on from the run's last checkpoint (true, the default), or from this file of it: later ones are moved to
   * `checkpoints/replaced/`. False refuses a run that has one.
   */
  resume?: boolean | string | undefined;
  /** Name of a new run that starts from the last checkpoint of `project`, or from the file `resume`. */
  fork?: string | undefined;
  /** Default: lines of text from the level info on, in the run's output.log. */
  log?: LogSettings | undefined;
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
  return World.among((world) => (world && world.rank > 0 ? follow(options, world) : lead(options, world)));
}

/** Trains as a rank that follows the first one, which alone writes and reports. */
function follow(options: TrainOptions, world: World): Promise<TrainResult> {
  const folder = new RunFolder({ runDir: options.runDir, project: options.fork ?? options.project });
  return trainIn(folder, { options, world, listener: () => {}, log: { write: () => {} } });
}

async function lead(options: TrainOptions, world: World | undefined): Promise<TrainResult> {
  const { runDir, project, fork = project } = options;
  const folder = new RunFolder({ runDir, project: fork });
  await folder.lock();
  const listen = options.onProgress ?? (() => {});
  const log = new RunLog(options.log?.file ?? folder.log, {
    log: options.log,
    onFailure: ({ message }) => listen({ kind: 'warning', message: `cannot write ${log.path}: ${message}` }),
  });
  const early: LogRecord[] = [];
  const listener: TrainListener = (event) => {
    const record = logRecord(event);
    if (record) early.push(record);
    // a run that is refused leaves no log
    if (folder.begun) for (const each of early.splice(0)) log.write(each);
    listen(event);
  };
  try {
    return await trainIn(folder, { options, world, listener, log });
  } catch (error) {
    if (folder.begun) log.write(failure(`error: ${(error as Error).message}`));
    throw error;
  } finally {
    await log.flush();
    await folder.release();
  }
}

function failure(text: string): LogRecord {
  return { level: 'error', event: 'error', text };
}

interface Run {
  readonly options: TrainOptions;
  readonly listener: TrainListener;
  readonly log: Pick<RunLog, 'write'>;
  /** The ranks of several machines; absent for a training in one process. */
  readonly world: World | undefined;
}

async function trainIn(folder: RunFolder, run: Run): Promise<TrainResult> {
  const { options, listener, world } = run;
  const leads = !world || world.rank === 0;
  const warn = (message: string): void => listener({ kind: 'warning', message });
  const found = leads ? await findStart(folder, options, warn) : undefined;
  const start = world ? await world.sameStart(found) : found;
  const checkpoint = start?.checkpoint;
  if (start?.kind === 'last' && options.resume === false) throw alreadyTrained(folder, start.checkpoint);
  const dataset = await readDataset(dataOf(options, checkpoint?.info.config));
  if (start) checkSameRun(folder, start, dataset, options);
  const { project, runDir, resume, fork, log, signal, onProgress, ...given } = options;
  const training = resolveTraining({ given, saved: checkpoint?.info.config, dataset });
  const { config, model } = training;
  const chosen = await chooseDevices({ ...config, localRank: world?.localRank });
  const replicas = chosen.devices.length;
  microBatchSize({ ...config, replicas: replicas * (world?.size ?? 1) });
  await world?.requireSame(sharedFacts({ config, dataset, replicas }));
  const precision = await choosePrecision(config.precision, {
    engine: chosen.engine,
    device: chosen.devices[0],
    listener,
    world,
  });
  const position = checkpoint ? resumePosition(checkpoint, training, dataset, warn) : startPosition;
  const bestAccuracy = leads ? await begin(folder, { config, start, warn }) : undefined;
  listener({
    kind: 'start',
    run: folder.path,
    model: model.name,
    classes: dataset.classes.length,
    pictures: { train: dataset.train.length, val: dataset.val.length },
    crop: config.crop,
    batchSize: config.batchSize,
    epochs: config.epochs,
    computing: { ...chosen, precision, ranks: world?.size ?? 1 },
    resumed: checkpoint && { path: checkpoint.path, epoch: position.epoch, step: position.step },
  });
  const reached =
    position.epoch >= config.epochs
      ? ({ status: 'finished', position, rejected: [] } as const)
      : await trainFrom(position, {
          ...run,
          folder,
          dataset,
          training,
          checkpoint,
          bestAccuracy,
          warn,
          precision,
          chosen,
        });
  return {
    status: reached.status,
    history: reached.position.history,
    epoch: reached.position.epoch,
    step: reached.position.step,
    best: reached.position.best,
    run: folder.path,
    checkpoints: leads
      ? { last: await folder.marked('last'), best: await folder.marked('best') }
      : { last: undefined, best: undefined },
    rejected: reached.rejected,
  };
}

interface PreparedRun extends Run {
  readonly folder: RunFolder;
  readonly dataset: Dataset;
  readonly training: ResolvedTraining;
  readonly checkpoint: Checkpoint | undefined;
  /** Of the checkpoint that is marked as the best. */
  readonly bestAccuracy: number | undefined;
  readonly warn: (message: string) => void;
  readonly precision: Precision;
  readonly chosen: ChosenDevices;
}

interface Reached {
  readonly status: TrainResult['status'];
  readonly position: Position;
  readonly rejected: readonly RejectedPicture[];
}

/** Starts the threads, trains, and ends them. */
async function trainFrom(position: Position, run: PreparedRun): Promise<Reached> {
  const { folder, dataset, training, checkpoint, bestAccuracy, log, warn, world } = run;
  const leads = !world || world.rank === 0;
  const signal = run.options.signal ?? new AbortController().signal;
  // measured beside the start, which takes longer
  const crowded = crowdedWarning({ threads: training.config.threads }).then((text) => text && warn(text));
  const preparation = await readPreparation(dataset.folder);
  let engine: TrainingEngine | undefined;
  const board = leads
    ? await openBoard({
        ...{ folder, dataset, training, warn, resumed: position },
        gradients: async () => engine?.call('gradients', {}),
      })
    : undefined;
  // a validation that tells of each picture takes all ranks
  const tells = world ? await world.same(board?.onPictures !== undefined) : false;
  const onPictures = board?.onPictures ?? (tells ? () => {} : undefined);
  let threads: LoaderThreads | undefined;
  const listener: TrainListener = (event) => {
    run.listener(event);
    board?.listen(event);
    threads?.listen(event);
  };
  const cache = await cacheFor(training.config, dataset, folder.path, world?.rank);
  const loader = await startLoader(dataset, training.config, { cache, world, onWarning: warn });
  if (chosenWorkers(training.config) === undefined) {
    threads = new LoaderThreads({
      loader,
      pictures: Math.ceil(training.config.batchSize / (world?.size ?? 1)),
      limit: mostLoaderThreads(world?.localSize),
      say: (text) => listener({ kind: 'message', text }),
    });
  }
  try {
    const rejected = new RejectedPictures({ loader, world, listener });
    // it reaches the training through the engine, which waits for its batches
    loader.on('failed', ({ message }) => log.write(failure(`the loader failed: ${message}`)));
    const { epochs } = training.config;
    const queue = new EpochQueue(loader, { ...position, epochs, validate: dataset.val.length > 0 });
    // loaded while the engine starts
    queue.upTo(position.epoch + 1);
    engine = await startEngine({ ...run, ring: loader.ring, signal });
    if (!engine) return { status: 'stopped', position, rejected: rejected.all };
    const saver = new CheckpointSaver({
      folder,
      keepLast: training.config.keepLast,
      onSaved: (saved) => listener({ kind: 'checkpoint', ...saved }),
      bestAccuracy,
      onFailed: (path, { message }) =>
        warn(`cannot save ${path}: ${message}; training goes on, the next save tries again`),
      onWarning: warn,
    });
    const schedule = resumeSchedule(training, checkpoint, { dataset, position, warn });
    const trainer = new Trainer({
      ...{ training, dataset, preparation, folder, queue, engine, saver, schedule, position },
      ...{ listener, signal, onPictures, leads, engineName: run.chosen.engine },
      beforeEpochEnds: () => rejected.share(),
    });
    await setWeights(engine, run);
    const status = await trainer.run();
    await rejected.share();
    if (status === 'finished') await dropCache(folder.path, world?.rank);
    const { epoch, step } = trainer.position;
    const text = `${status} after epoch ${epoch}${step > 0 ? ` and ${step} batches of the next` : ''}`;
    log.write({ level: 'info', event: status, text, fields: { epoch, step } });
    return { status, position: trainer.position, rejected: rejected.all };
  } finally {
    await Promise.all([engine?.close(), loader.close(), crowded]);
    await board?.close();
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

/** The first that is written. @returns accuracy of the checkpoint that is marked as the best */
async function begin(
  folder: RunFolder,
  run: { config: TrainConfig; start: StartingPoint | undefined; warn: (message: string) => void },
): Promise<number | undefined> {
  try {
    await folder.begin(run.config);
    return await settleStart(folder, run.start, run.warn);
  } catch (error) {
    throw new UserError(`cannot write the run folder ${folder.path}: ${(error as Error).message}`, {
      hint: 'Make room or permission there, or give another --run-dir.',
      cause: error,
    });
  }
}
