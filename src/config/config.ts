import type { PreprocessOptions } from '../data/preprocess/options.js';
import type { ModelSpec } from '../models/index.js';
import type { Stages } from '../models/stages.js';
import type { LogSettings } from '../report/log-settings.js';
import type { TrainSettings } from '../train/config.js';
import type { OptimizerSpec } from '../train/optimizers/index.js';
import type { ScheduleSpec } from '../train/schedules/index.js';

/** Settings of `resnode preprocess`. */
export interface PreprocessSettings {
  /** Folder with a folder of pictures per class. */
  input?: string | undefined;
  /** Folder to make for the dataset. Default: the dataset `data` of the training. */
  output?: string | undefined;
  /** Part of each class that becomes validation pictures. Default 0.2. */
  valSplit?: number | undefined;
  /** Folder of validation pictures of their own, in a folder per class or with `valList`. */
  valDir?: string | undefined;
  /** File with image and class of each validation picture. */
  valList?: string | undefined;
  /** File with a label and its name a line. */
  classNames?: string | undefined;
  /** Most bytes of a tar shard, e.g. `256MB`. Default: a file per picture. */
  shards?: string | number | undefined;
  /** Length of the smaller side in pixels, or the exact size. Default 256. */
  size?: PreprocessOptions['size'] | undefined;
  /** Fill the whole size and cut off the rest, from the centre. Default false. */
  centerCrop?: boolean | undefined;
  /** Compute mean and standard deviation of the train pictures. Default true. */
  rgbMean?: boolean | undefined;
  /** JPEG quality. Default 96. */
  quality?: number | undefined;
  /** Seed of names and split. Default 0. */
  seed?: number | undefined;
  /** Pictures at work at once. Default: number of cores. */
  workers?: number | undefined;
  /** The label out of the path of a class folder, by a regular expression. */
  labelPattern?: string | RegExp | undefined;
  /**
   * The label out of the path of a class folder below `input`, '/' between parts.
   * @example readClassLabel: (path) => path.split('/').at(-1)?.split('.').at(-1) ?? path
   */
  readClassLabel?: ((path: string) => string) | undefined;
}

/**
 * Everything that can be set. A flag of the command line wins over it; it wins over a recipe, the settings that a
 * run was started with, and the defaults.
 */
export interface Config extends Omit<TrainSettings, 'model' | 'optimizer' | 'schedule'> {
  /** Name of the recipe that the rest changes, see `resnode recipes`. */
  recipe?: string | undefined;
  /** Name of the run. Default: the recipe's. */
  project?: string | undefined;
  /** Folder of all runs. Default: `runs`. */
  runDir?: string | undefined;
  /** Name of a model, or a family with its options. Default: resnet26. */
  model?: string | ModelSpec | undefined;
  /** Stages of a ResNet, as `[[128, 2], [256, 2]]` or `'128x2,256x2'`. */
  stages?: Stages | string | undefined;
  /** Kind of the ResNet's blocks. */
  block?: 'pre-activation' | 'bn-conv-relu' | 'basic' | 'bottleneck' | undefined;
  /** `'sgd'`, `'adam'`, `'adamw'`, or one of them with its settings. */
  optimizer?: string | Partial<OptimizerSpec> | undefined;
  /** Name of a schedule with its options, or `'cosine,tMax=5'` as on the command line. */
  schedule?: string | ScheduleSpec | undefined;
  log?: LogSettings | undefined;
  preprocess?: PreprocessSettings | undefined;
}

/**
 * Types a configuration for the editor; returns it as it is.
 * @example
 * // resnode.config.ts
 * import { defineConfig } from 'resnode/config';
 *
 * export default defineConfig({ project: 'birds', data: 'data', model: 'resnet50', epochs: 120 });
 */
export function defineConfig(config: Config): Config {
  return config;
}
