import { availableParallelism } from 'node:os';
import { exitCodes, UserError } from '../../errors.js';
import { shardSize } from './shard-size.js';

/** Where the run is; `done` counts pictures that were written or rejected. */
export interface PreprocessProgress {
  readonly stage: 'scan' | 'check' | 'pictures' | 'shards' | 'files';
  readonly done: number;
  /** Number of pictures; 0 while they are still being looked for. */
  readonly total: number;
  readonly rejected: number;
}

/** Options of `preprocess`. */
export interface PreprocessOptions {
  /** Folder with a folder of pictures per class, at any depth. */
  pictures: string;
  /** Folder to make; it must not exist, be empty, or hold an interrupted run of the same command. */
  out: string;
  /** Part of each class that becomes validation pictures, 0 <= valSplit < 1. Default 0.2. */
  valSplit?: number;
  /** Folder of validation pictures, beside `pictures`, which then are all for training. */
  valDir?: string;
  /** File with the class of each picture in `valDir`; without it, they lie in a folder per class. */
  valList?: string;
  /** File with a name for each label, e.g. `n01440764 tench, Tinca tinca`. */
  classNames?: string;
  /** Write tar files of at most so many bytes (also as text, `256MB`) instead of a file for each picture. */
  shards?: number | string;
  /**
   * Whether to go on with an interrupted run: true refuses when there is none, false starts over. Default: go
   * on if there is one, refuse if it was made from other pictures or with other options.
   */
  resume?: boolean;
  /** Length of the smaller side in pixels, or the exact size. Default 256. */
  size?: number | { height: number; width: number };
  /** Fill the whole size and cut off what is too much, from the centre. Default false. */
  centerCrop?: boolean;
  /** Compute mean and standard deviation of the train pictures. Default true. */
  rgbMean?: boolean;
  /**
   * Regular expression on a class folder's path below `pictures` ('/' between parts); the first group
   * (or the whole match) is the label. Default: the last part of the path.
   */
  labelPattern?: string | RegExp;
  /** The label from a class folder's path below `pictures` ('/' between parts); instead of `labelPattern`. */
  readClassLabel?: (path: string) => string;
  /** Seed of names and split. Default 0. */
  seed?: number;
  /**
   * Pictures at work at the same time; no influence on the result. Default: the number of cores. Node's
   * thread pool, where the work is done, has 4 threads unless UV_THREADPOOL_SIZE says otherwise before it is first
   * used; the command line says so.
   */
  workers?: number;
  /** JPEG quality, 1 to 100. Default 96: the encoder's transform is exact from there on (0.6 dB better than at 95). */
  quality?: number;
  /** Stops the run; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: PreprocessProgress) => void;
}

/** What one picture is turned into. */
export interface PictureSettings {
  readonly size: number | { readonly height: number; readonly width: number };
  readonly centerCrop: boolean;
  readonly quality: number;
  /** Whether sums for mean and standard deviation are wanted. */
  readonly statistics: boolean;
}

/** Checked options with every default filled in. */
export interface ResolvedOptions {
  readonly pictures: string;
  readonly out: string;
  readonly valSplit: number;
  readonly picture: PictureSettings;
  readonly labelPattern: RegExp | undefined;
  readonly readClassLabel: ((path: string) => string) | undefined;
  readonly seed: number;
  readonly workers: number;
  readonly valDir: string | undefined;
  readonly valList: string | undefined;
  readonly classNames: string | undefined;
  /** Bytes; undefined for a file for each picture. */
  readonly shardSize: number | undefined;
  readonly resume: boolean | undefined;
}

/** Largest side that can be asked for, in pixels. */
const maximumSide = 8192;

function refuse(message: string, hint?: string): never {
  throw new UserError(message, { exitCode: exitCodes.usage, ...(hint === undefined ? {} : { hint }) });
}

function wholeNumber(name: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    refuse(`${name} must be a whole number from ${low} to ${high}, not ${value}`);
  }
  return value;
}

function resolveSize(size: NonNullable<PreprocessOptions['size']>): PictureSettings['size'] {
  if (typeof size === 'number') return wholeNumber('size', size, 1, maximumSide);
  return {
    height: wholeNumber('size (height)', size.height, 1, maximumSide),
    width: wholeNumber('size (width)', size.width, 1, maximumSide),
  };
}

function resolvePattern(pattern: string | RegExp): RegExp {
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    return refuse(`label pattern is not a regular expression: ${(error as Error).message}`);
  }
}

/** @throws UserError naming the first option that is out of range */
export function resolveOptions(options: PreprocessOptions): ResolvedOptions {
  const valSplit = options.valSplit ?? 0.2;
  if (!(valSplit >= 0 && valSplit < 1)) {
    refuse(`valSplit must be at least 0 and below 1, not ${valSplit}`, 'The usual value is 0.2.');
  }
  if (options.labelPattern !== undefined && options.readClassLabel) {
    refuse('give labelPattern or readClassLabel, not both');
  }
  if (options.valList !== undefined && options.valDir === undefined) {
    refuse('a validation list needs the folder of its pictures', 'Give --val-dir too.');
  }
  if (options.valDir !== undefined && options.valSplit !== undefined) {
    refuse('give a part for validation (valSplit) or a folder of it (valDir), not both');
  }
  return {
    pictures: options.pictures,
    out: options.out,
    valSplit,
    picture: {
      size: resolveSize(options.size ?? 256),
      centerCrop: options.centerCrop ?? false,
      quality: wholeNumber('quality', options.quality ?? 96, 1, 100),
      statistics: options.rgbMean ?? true,
    },
    labelPattern: options.labelPattern === undefined ? undefined : resolvePattern(options.labelPattern),
    readClassLabel: options.readClassLabel,
    seed: wholeNumber('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    valDir: options.valDir,
    valList: options.valList,
    classNames: options.classNames,
    shardSize: options.shards === undefined ? undefined : shardSize(options.shards),
    resume: options.resume,
    workers: wholeNumber('workers', options.workers ?? availableParallelism(), 1, 256),
  };
}
