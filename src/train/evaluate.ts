import { resolve } from 'node:path';
import { type Dataset, readDataset } from '../data/dataset.js';
import { Loader, type RejectedPicture } from '../data/loader/loader.js';
import { UserError } from '../errors.js';
import type { CheckpointInfo } from './checkpoint.js';
import { defaultWorkers } from './config.js';
import { EngineClient } from './engine-client.js';
import { meansOf } from './metrics.js';
import { type CheckpointChoice, pickCheckpoint } from './pick-checkpoint.js';
import { runTransforms } from './run-transforms.js';

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends CheckpointChoice {
  /** Folder of the dataset. Default: the one that the network was trained on. */
  data?: string | undefined;
  /** Default: the validation batch size of the training. */
  batchSize?: number | undefined;
  /** Threads that load pictures. */
  workers?: number | undefined;
  /** Threads of the engine. Default: physical cores. */
  threads?: number | undefined;
  /** Aborted, the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: EvaluateProgress) => void) | undefined;
}

export interface EvaluateProgress {
  /** Batches done, and all. */
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
}

export interface EvaluateResult {
  /** Pictures whose class was the first, in percent. */
  readonly top1: number;
  /** Pictures whose class was among the first five, in percent; all of them with five classes or fewer. */
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Pictures that counted. */
  readonly images: number;
  /** For all pictures, loading included, without the start. */
  readonly seconds: number;
  readonly model: string;
  readonly classes: number;
  /** File with the weights. */
  readonly checkpoint: string;
  /** Epochs that they were trained. */
  readonly epoch: number;
  /** Folder of the dataset. */
  readonly data: string;
  /** Pictures that could not be used. */
  readonly rejected: readonly RejectedPicture[];
}

/**
 * Measures a trained network on a dataset's validation pictures, with the normalisation, the crop and the
 * classes of its checkpoint.
 * @throws UserError when there is no checkpoint, or the dataset has other classes
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const { signal, threads, onProgress } = options;
  const { info, bytes, path } = await pickCheckpoint(options);
  const data = options.data ?? info.config.data;
  const dataset = await readData(data, options.data === undefined);
  checkClasses(info, dataset, path);
  const batchSize = options.batchSize ?? info.config.valBatchSize;
  const { height, width } = info.crop;
  const loader = await Loader.start({
    folder: dataset.folder,
    samples: { train: [], val: dataset.val },
    ...info.normalization,
    height,
    width,
    trainTransforms: [],
    valTransforms: runTransforms(info.config).val,
    batchSize,
    workers: options.workers ?? defaultWorkers(),
    seed: info.seed,
    minSide: dataset.minSide,
  });
  let engine: EngineClient | undefined;
  try {
    const { batches } = loader.enqueue({ split: 'val', epoch: 0 });
    const { description } = info.model;
    const classes = info.classes.length;
    engine = await EngineClient.start(
      { engine: 'onednn', threads, model: description, classes, height, width, ring: loader.ring },
      signal,
    );
    await engine.call('restore', { bytes, path, optimizer: false });
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    engine.onProgress = ({ batches: done }) => onProgress?.({ done, total: batches, seconds: seconds() });
    const running = engine;
    const stop = (): void => running.stop();
    signal?.addEventListener('abort', stop, { once: true });
    const result = await engine.call('validate', { batches });
    signal?.removeEventListener('abort', stop);
    signal?.throwIfAborted();
    if (result.ended === 'starved') throw new UserError(`the pictures cannot be loaded: ${result.reason}`);
    if (result.ended === 'notFinite') {
      throw new UserError(`the network of ${path} gives a loss that is NaN or infinite`);
    }
    return {
      ...meansOf(result.sums),
      images: result.sums.images,
      seconds: seconds(),
      model: info.model.name,
      classes,
      checkpoint: path,
      epoch: info.epoch,
      data: resolve(data),
      rejected: loader.rejected,
    };
  } finally {
    await Promise.all([engine?.close(), loader.close()]);
  }
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
