import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Dataset } from '../data/dataset.js';
import { type EngineSettings, engineSettings } from '../engines/settings.js';
import { exitCodes, UserError } from '../errors.js';
import { checkPictureSize, createModel, defaultModel, type ModelSpec } from '../models/index.js';
import type { Model, ModelDescription } from '../models/model.js';
import { microBatchSize } from './batch-shares.js';
import { cacheBytes } from './cache-size.js';
import { checkpointIntervalSetting } from './checkpoint-interval.js';
import { Optimizer, type OptimizerSpec } from './optimizers/index.js';
import { type PrecisionSetting, precisions } from './precision/precision.js';
import { resolveSchedule, type ScheduleSpec } from './schedules/index.js';
import {
  listsFor,
  runNormalization,
  settingsFrom,
  sideOf,
  type TransformSettings,
  transformLists,
} from './transform-lists.js';

/** What a training can be told; see `resnode train --help`. On a resume the rest comes from the run itself. */
export interface TrainSettings {
  /** Folder that `resnode preprocess` made. */
  data?: string | undefined;
  /** Default: resnet26. */
  model?: ModelSpec | undefined;
  /** First weights of the convolutions. Default: xavier. */
  initialization?: 'xavier' | 'kaiming' | undefined;
  /** Height and width of the pictures that the network sees. Default: the model's own, or 7/8 of smaller pictures. */
  crop?: number | undefined;
  /** Number of classes, to be sure of the dataset's. */
  classes?: number | undefined;
  /** Default 64. */
  batchSize?: number | undefined;
  /** Micro-batches that a batch is computed in, their gradients added up. Default 1. */
  accumulate?: number | undefined;
  /** Largest norm of the gradient; a longer one is shortened to it. Default 0: any. */
  clipNorm?: number | undefined;
  /** Largest magnitude of each number of the gradient. Default 0: any. */
  clipValue?: number | undefined;
  /** Numbers that layers compute with; weights and their updates are fp32 in all. Default: auto. */
  precision?: PrecisionSetting | undefined;
  /** Default: what the engine takes at once, `batchSize / accumulate`. */
  valBatchSize?: number | undefined;
  /** Epochs of the whole run. Default 80. */
  epochs?: number | undefined;
  /** Default: the optimizer's, 0.01 for sgd. */
  learningRate?: number | undefined;
  /** Settings left out have the optimizer's defaults. Default: sgd. */
  optimizer?: Partial<OptimizerSpec> | undefined;
  /** Default: reduceLrOnPlateau. */
  schedule?: ScheduleSpec | undefined;
  /** Share of the target that is spread over all classes. Default 0. */
  labelSmoothing?: number | undefined;
  /** Mirror half of the training pictures. Default true. Not beside `transforms.train`, which says it. */
  flip?: boolean | undefined;
  /** What is done to training and validation pictures. Default: a random crop and `flip`; the central crop. */
  transforms?: TransformSettings | undefined;
  /** Default 0. */
  seed?: number | undefined;
  /** For a dataset in shards: mix at least so many pictures at a time, read in a row. Default: all with all. */
  shuffleBuffer?: number | undefined;
  /** Threads that load pictures. Default: auto, chosen from the times that a picture and a step take. */
  workers?: number | 'auto' | undefined;
  /** Keep decoded pictures, so that each is decoded once: in memory or in the run's folder. Default: none. */
  cache?: 'none' | 'ram' | 'disk' | undefined;
  /** Most bytes of them, as `4GB`; in memory also half of what is free. Default 4GB. */
  cacheSize?: string | number | undefined;
  /** Threads of the engine. Default: physical cores. */
  threads?: number | undefined;
  /** What computes: `onednn` (CPU), `torch` (GPUs, CPU). Default: auto, a GPU where there is one, else onednn. */
  engine?: EngineSettings['engine'];
  /** Between two checkpoints: a number of epochs, or `5epochs`, `200steps`, `10min`. Default 1. */
  checkpointInterval?: number | string | undefined;
  /** Checkpoints to keep beside the best. Default 3. */
  keepLast?: number | undefined;
  /**
   * A replica of the network on each: `cpu:2` for two that share the threads, `cuda:0,cuda:1` for two GPUs. Default: a
   * GPU where there is one, else `cpu`.
   */
  devices?: string | undefined;
  /** Take the statistics of batch norms over the pictures of all replicas. Default false. */
  syncBatchNorm?: boolean | undefined;
  /**
   * Add the gradients of several ranks up beside the backward pass (`on`) or after it (`off`). Default: auto, beside it
   * where the ranks are on several machines.
   */
  overlap?: 'auto' | 'on' | 'off' | undefined;
  /** Write event files for TensorBoard. Default true. */
  tensorboard?: boolean | undefined;
  /** Histograms of weights and gradients for TensorBoard, at each checkpoint. Default false. */
  histograms?: boolean | undefined;
  /** Misclassified pictures to show in TensorBoard, at each epoch that is the best so far. Default 0. */
  mistakes?: number | undefined;
}

const atLeastOne = z.int().min(1);

/** All settings of a run, filled in; plain JSON, in config.json and in each checkpoint. */
export const trainConfig = z.strictObject({
  data: z.string(),
  model: z.looseObject({ family: z.string() }),
  initialization: z.enum(['xavier', 'kaiming']),
  crop: atLeastOne.max(8192),
  batchSize: atLeastOne.max(65_536),
  accumulate: atLeastOne.max(65_536).optional(),
  clipNorm: z.number().min(0).optional(),
  clipValue: z.number().min(0).optional(),
  precision: z.enum(precisions).optional(),
  valBatchSize: atLeastOne.max(65_536),
  epochs: atLeastOne,
  learningRate: z.number().min(0),
  optimizer: z.looseObject({ kind: z.string() }),
  schedule: z.looseObject({ name: z.string() }),
  labelSmoothing: z.number().min(0).lt(1),
  flip: z.boolean(),
  transforms: transformLists.optional(),
  seed: z.int(),
  shuffleBuffer: atLeastOne.optional(),
  workers: z
    .union([z.literal('auto'), atLeastOne.max(256)], 'auto, or a whole number from 1 to 256')
    .optional(),
  cache: z.enum(['none', 'ram', 'disk']).optional(),
  cacheSize: z.union([z.string(), z.number()]).optional(),
  threads: atLeastOne.max(4096).optional(),
  engine: engineSettings.engine,
  devices: z.string().optional(),
  syncBatchNorm: z.boolean().optional(),
  overlap: z.enum(['auto', 'on', 'off']).optional(),
  checkpointInterval: checkpointIntervalSetting,
  keepLast: atLeastOne,
  tensorboard: z.boolean().optional(),
  histograms: z.boolean().optional(),
  mistakes: z.int().min(0).max(100).optional(),
});

export type TrainConfig = z.output<typeof trainConfig>;

/** A configuration with what it stands for. */
export interface ResolvedTraining {
  readonly config: TrainConfig;
  readonly model: Model;
  readonly optimizer: Optimizer;
}

const defaults = {
  initialization: 'xavier',
  batchSize: 64,
  accumulate: 1,
  clipNorm: 0,
  clipValue: 0,
  epochs: 80,
  labelSmoothing: 0,
  flip: true,
  seed: 0,
  checkpointInterval: 1,
  keepLast: 3,
  tensorboard: true,
  histograms: false,
  mistakes: 0,
} as const;

/** Cropped pictures have this share of the side of the prepared ones, as 224 has of 256. */
const cropShare = 7 / 8;

/**
 * Puts together what was asked for now, what the run was started with, and the defaults, in this order. Without a
 * dataset whatever depends on one is as for large pictures, and not checked.
 * @throws UserError naming the setting that is wrong, or that does not fit the dataset
 */
export function resolveTraining(options: {
  given: TrainSettings;
  saved?: TrainConfig | undefined;
  dataset: Dataset | undefined;
}): ResolvedTraining {
  const { given, saved, dataset } = options;
  const model = createModel(given.model ?? saved?.model ?? { name: defaultModel });
  const optimizer = new Optimizer(mergeOptimizer(given.optimizer, saved?.optimizer));
  const { classes, ...settings } = given;
  const stated = Object.entries(settings).filter(([, value]) => value !== undefined);
  const merged = { ...defaults, ...saved, ...Object.fromEntries(stated) };
  // said together in the run before: a new batch size does not leave the validation with the old one
  const cut = given.batchSize ?? given.accumulate;
  const valBatchSize = given.valBatchSize ?? (cut ? undefined : saved?.valBatchSize);
  const crop =
    merged.crop ?? sideOf(merged.transforms) ?? (dataset ? defaultCrop(model, dataset) : model.defaultSize);
  const config = checkConfig({
    ...merged,
    data: resolve(merged.data ?? dataset?.folder ?? ''),
    model: model.description,
    crop,
    transforms: listsFor(
      { height: crop, width: crop },
      merged.transforms && settingsFrom('.', merged.transforms),
    ),
    valBatchSize: valBatchSize ?? microBatchSize(merged),
    learningRate: merged.learningRate ?? optimizer.defaultLearningRate,
    optimizer: optimizer.spec,
    schedule: resolveSchedule(merged.schedule ?? { name: 'reduceLrOnPlateau' }, {
      epochs: merged.epochs,
      stepsPerEpoch: dataset ? stepsIn(dataset, merged.batchSize) : 1,
      cyclesMomentum: optimizer.cyclesMomentum,
    }),
  });
  cacheBytes(config.cacheSize);
  if (dataset) {
    checkClasses(classes, dataset);
    checkFit(config, model, dataset);
    checkTransforms(config, given, dataset);
  }
  return { config, model, optimizer };
}

/**
 * Threads that load pictures where nothing is measured: they need little, and the engine wants the cores.
 * @param processes that share this machine
 */
export function defaultWorkers(processes = 1): number {
  return Math.min(8, Math.max(1, Math.floor(availableParallelism() / 2 / processes)));
}

/** Batches in an epoch; 1 for a batch size that is refused later. */
function stepsIn({ train }: Dataset, batchSize: number): number {
  const steps = Math.floor(train.length / batchSize);
  return Number.isFinite(steps) ? Math.max(1, steps) : 1;
}

/** The same settings: order of keys does not matter. */
export function sameModel(a: ModelDescription, b: ModelDescription): boolean {
  return createModel(a).name === createModel(b).name && canonical(a) === canonical(b);
}

function canonical(description: ModelDescription): string {
  return JSON.stringify(Object.entries(description).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mergeOptimizer(
  given: Partial<OptimizerSpec> | undefined,
  saved: OptimizerSpec | undefined,
): OptimizerSpec {
  const kind = given?.kind ?? saved?.kind ?? 'sgd';
  const stated = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const merged = { ...(saved?.kind === kind ? saved : {}), ...Object.fromEntries(stated), kind };
  // Nesterov's look ahead needs a momentum to look along
  return kind === 'sgd' && 'momentum' in merged && merged.momentum === 0 && given?.nesterov === undefined
    ? { ...merged, nesterov: false }
    : merged;
}

function checkConfig(config: unknown): TrainConfig {
  const result = trainConfig.safeParse(config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = String(issue?.path[0] ?? issue?.code);
  const value = JSON.stringify((config as Record<string, unknown>)[key]);
  throw new UserError(`${words(key)} cannot be ${value}`, {
    exitCode: exitCodes.usage,
    ...(issue ? { hint: issue.message } : {}),
  });
}

/** `batchSize` as `batch size`. */
function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function defaultCrop(model: Model, { minSide }: Dataset): number {
  if (minSide >= model.defaultSize) return model.defaultSize;
  return Math.max(1, Math.round(minSide * cropShare));
}

function checkClasses(wanted: number | undefined, dataset: Dataset): void {
  const count = dataset.classes.length;
  if (wanted !== undefined && wanted !== count) {
    throw new UserError(`${dataset.folder} has ${count} classes, not ${wanted}`, {
      hint: 'Leave the number of classes out: it comes from the dataset.',
    });
  }
  if (count < 2) {
    throw new UserError(`${dataset.folder} has one class only: there is nothing to tell apart`, {
      hint: 'Prepare the pictures with one folder for each of at least two classes.',
    });
  }
}

function checkTransforms(config: TrainConfig, { flip }: TrainSettings, dataset: Dataset): void {
  runNormalization(config, dataset);
  if (flip === undefined || !config.transforms?.train) return;
  throw new UserError('flip has no say beside a list of transforms', {
    exitCode: exitCodes.usage,
    hint: 'Leave out flip, or put HorizontalFlip into the list of training transforms.',
  });
}

function checkFit({ crop, batchSize, transforms }: TrainConfig, model: Model, dataset: Dataset): void {
  // transforms may enlarge pictures; what cannot fit into theirs the loader refuses
  if (!transforms && crop > dataset.minSide) {
    throw new UserError(
      `the crop of ${crop} is larger than the pictures, whose shortest side is ${dataset.minSide}`,
      { hint: `Give a crop of at most ${dataset.minSide}, or prepare the pictures with a larger --size.` },
    );
  }
  checkPictureSize(model, crop);
  if (batchSize > dataset.train.length) {
    throw new UserError(
      `the batch size of ${batchSize} is above the ${dataset.train.length} training pictures`,
      {
        hint: `Give a batch size of at most ${dataset.train.length}.`,
      },
    );
  }
}
