import { availableParallelism } from 'node:os';
import { exitCodes, UserError } from '../../errors.js';
import type { Sample } from '../sample.js';
import { CenterCrop } from '../transforms/center-crop.js';
import { HorizontalFlip } from '../transforms/horizontal-flip.js';
import { Pipeline } from '../transforms/pipeline.js';
import { RandomCrop } from '../transforms/random-crop.js';
import type { Normalization, TransformSpec } from '../transforms/transform.js';
import type { CacheOptions } from './cache/open-cache.js';
import type { Split } from './job.js';
import { all, type Share } from './shares.js';

/** Batches in memory at a time. */
export const defaultSlots = 4;

/** Options of `Loader.start`. */
export interface LoaderOptions {
  /** Folder of the dataset, which the samples' files lie below. */
  folder: string;
  samples: Readonly<Record<Split, readonly Sample[]>>;
  /** Mean of red, green and blue, 0-255, for normalisation. */
  mean: Normalization['mean'];
  /** Standard deviation likewise, above 0. */
  std: Normalization['std'];
  /** Pictures in a batch of train. */
  batchSize: number;
  /** Pictures in a batch of val. Default: `batchSize`. */
  valBatchSize?: number;
  /** Height of the pictures that the network takes, in pixels. */
  height: number;
  /** Width likewise. */
  width: number;
  /** Default: a random crop of height x width, flipped half of the time. */
  trainTransforms?: readonly TransformSpec[];
  /** Default: the central crop of height x width. */
  valTransforms?: readonly TransformSpec[];
  /**
   * Threads that load; no influence on what is loaded. Default: half of the cores, 1 to 8 (one thread decodes
   * over a thousand pictures a second, which is more than a CPU trains on, and the engine wants the cores).
   */
  workers?: number;
  seed: number;
  /** Batches that are loaded ahead, each in memory of its own. Default 4. */
  slots?: number;
  /**
   * For a dataset in shards: mix samples within groups of shards of at least so many samples, which are read
   * from front to end, instead of all with all. For disks that seek slowly.
   */
  shuffleBuffer?: number;
  /** Which rows of each batch to load, where several processes share the batches. Default: all. */
  share?: Share;
  /** Keep decoded pictures, so that they are decoded once. Default: not. */
  cache?: CacheOptions | undefined;
  /** Told of what goes wrong without stopping the loader. */
  onWarning?: ((message: string) => void) | undefined;
  /** Shortest side of the dataset's pictures: a crop that cannot fit is refused at the start. */
  minSide?: number;
}

/** Options with defaults filled in and checked. */
export interface ResolvedLoaderOptions {
  readonly folder: string;
  readonly samples: LoaderOptions['samples'];
  readonly normalization: Normalization;
  readonly batchSize: Readonly<Record<Split, number>>;
  readonly height: number;
  readonly width: number;
  readonly transforms: Readonly<Record<Split, readonly TransformSpec[]>>;
  readonly workers: number;
  readonly seed: number;
  readonly slots: number;
  readonly shuffleBuffer: number | undefined;
  readonly share: Share;
  readonly cache: CacheOptions | undefined;
  readonly onWarning: (message: string) => void;
}

/** @throws UserError naming the first option that is wrong */
export function resolveLoaderOptions(options: LoaderOptions): ResolvedLoaderOptions {
  const { folder, samples, mean, std } = options;
  const height = wholeNumber('crop height', options.height, 1, 8192);
  const width = wholeNumber('crop width', options.width, 1, 8192);
  const batchSize = wholeNumber('batch size', options.batchSize, 1, 65536);
  const size = { height, width };
  const transforms = {
    train: options.trainTransforms ?? [RandomCrop(size), HorizontalFlip()],
    val: options.valTransforms ?? [CenterCrop(size)],
  };
  const normalization = { mean, std };
  for (const specs of [transforms.train, transforms.val]) {
    const pipeline = new Pipeline(specs, { size, normalization });
    requireRoom(pipeline, options.minSide);
    // a function of the user's that cannot be loaded is to be known before the threads start
    pipeline.compile();
  }
  if (!Number.isSafeInteger(options.seed)) refuse(`seed must be a whole number, not ${options.seed}`);
  return {
    folder,
    samples,
    normalization,
    batchSize: {
      train: batchSize,
      val: wholeNumber('validation batch size', options.valBatchSize ?? batchSize, 1, 65536),
    },
    height,
    width,
    transforms,
    workers: wholeNumber('workers', options.workers ?? defaultWorkers(), 1, 256),
    seed: options.seed,
    slots: wholeNumber('slots', options.slots ?? defaultSlots, 1, 1024),
    shuffleBuffer: resolveBuffer(options),
    share: options.share ?? all,
    cache: options.cache,
    onWarning: options.onWarning ?? (() => {}),
  };
}

function resolveBuffer({ shuffleBuffer, samples }: LoaderOptions): number | undefined {
  if (shuffleBuffer === undefined) return undefined;
  if (samples.train.length > 0 && samples.train[0]?.place === undefined) {
    throw new UserError(
      'a shuffle buffer needs a dataset in shards, and this one has a file for each picture',
      {
        exitCode: exitCodes.usage,
        hint: 'Leave it out, or prepare the pictures with --shards 256MB.',
      },
    );
  }
  return wholeNumber('shuffle buffer', shuffleBuffer, 1, 2 ** 31 - 1);
}

/** Half of the cores, 1 to 8. */
function defaultWorkers(): number {
  return Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2)));
}

function requireRoom({ minimumInput }: Pipeline, minSide: number | undefined): void {
  if (!minimumInput || minSide === undefined) return;
  const { height, width } = minimumInput;
  if (Math.max(height, width) <= minSide) return;
  throw new UserError(
    `the crop of ${height} x ${width} is larger than the pictures: the shortest side in the dataset is ${minSide}`,
    { hint: `Give a crop of at most ${minSide}, or prepare the pictures with a larger --size.` },
  );
}

function wholeNumber(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  return refuse(`${name} must be a whole number from ${low} to ${high}, not ${value}`);
}

function refuse(message: string): never {
  throw new UserError(message, { exitCode: exitCodes.usage });
}
