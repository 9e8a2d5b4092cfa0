import { z } from 'zod';
import { type LogSettings, logFormats, logLevels } from '../report/log-settings.js';
import { trainConfig } from '../train/config.js';
import { transformLists } from '../train/transform-lists.js';
import type { Config, PreprocessSettings } from './config.js';
import { valueRange } from './value-range.js';

/** What the documentation says of a setting. */
export interface SettingText {
  readonly says: string;
  /** The default, in words. */
  readonly usual: string;
  /** Flags of the command line that set it; empty where none does. */
  readonly flag: string;
  /** What it may be; by default what the schema says. */
  readonly values?: string;
}

const texts = z.registry<SettingText>();

function setting<S extends z.ZodType>(schema: S, text: SettingText): z.ZodOptional<S> {
  const optional = schema.optional();
  texts.add(optional, text);
  return optional;
}

const functionOf = <F>(): z.ZodType<F> =>
  z.custom<F>((value) => typeof value === 'function', { error: 'it is a function' });

const train = trainConfig.shape;
const side = z.int().min(1).max(8192);
const path = z.string().min(1);
const count = z.int().min(1);

const log = z.strictObject({
  file: setting(path, { says: 'log file of a run', usual: '`output.log` in its folder', flag: '--log-file' }),
  level: setting(z.enum(logLevels), {
    says: 'least level that is logged',
    usual: '`info`',
    flag: '--log-level',
  }),
  format: setting(z.enum(logFormats), {
    says: 'a time and a sentence a line, or a JSON object a line',
    usual: '`text`',
    flag: '--log-format',
  }),
} satisfies Record<keyof LogSettings, z.ZodType>);

const preprocess = z.strictObject({
  input: setting(path, {
    says: 'folder with a folder of pictures per class',
    usual: '–',
    flag: 'the argument PICTURES',
  }),
  output: setting(path, { says: 'folder to make for the dataset', usual: 'the key `data`', flag: '--out' }),
  valSplit: setting(z.number().min(0).lt(1), {
    says: "part of each class's pictures for validation",
    usual: '`0.2`',
    flag: '--val-split',
  }),
  valDir: setting(path, {
    says: 'folder of validation pictures of their own, in a folder per class or with `valList`',
    usual: 'none',
    flag: '--val-dir',
  }),
  valList: setting(path, {
    says: 'file with image and class of each validation picture',
    usual: 'none',
    flag: '--val-list',
  }),
  classNames: setting(path, {
    says: 'file with a label and its name a line',
    usual: 'none',
    flag: '--class-names',
  }),
  shards: setting(z.union([z.string(), count]), {
    says: 'write tar shards of at most so many bytes, e.g. `256MB`',
    usual: 'a file per picture',
    flag: '--shards',
    values: 'a size or a number of bytes',
  }),
  size: setting(z.union([side, z.strictObject({ height: side, width: side })]), {
    says: 'length of the smaller side, or the exact size',
    usual: '`256`',
    flag: '--size',
    values: 'a whole number from 1 to 8192 or `{ height, width }`',
  }),
  centerCrop: setting(z.boolean(), {
    says: 'fill the whole size and cut off the rest, instead of stretching',
    usual: '`false`',
    flag: '--center-crop, --no-center-crop',
  }),
  rgbMean: setting(z.boolean(), {
    says: 'compute mean and standard deviation of the train pictures',
    usual: '`true`',
    flag: '--no-rgb-mean, --rgb-mean',
  }),
  quality: setting(z.int().min(1).max(100), { says: 'JPEG quality', usual: '`96`', flag: '--quality' }),
  seed: setting(z.int().min(0), { says: 'seed of names and split', usual: '`0`', flag: '--seed' }),
  workers: setting(count.max(256), {
    says: 'pictures at work at once; no influence on the result',
    usual: 'number of cores',
    flag: '--workers',
  }),
  labelPattern: setting(z.union([z.string(), z.instanceof(RegExp)]), {
    says: "class label from the folder's path: first group, or whole match",
    usual: "the folder's name",
    flag: '--label-pattern',
    values: 'text or a regular expression',
  }),
  readClassLabel: setting(functionOf<(path: string) => string>(), {
    says: "class label from the folder's path, instead of a pattern",
    usual: "the folder's name",
    flag: '--label-pattern',
    values: 'a function of the path',
  }),
} satisfies Record<keyof PreprocessSettings, z.ZodType>);

const blocks = ['pre-activation', 'bn-conv-relu', 'basic', 'bottleneck'] as const;
const stages = z.union([z.string(), z.array(z.tuple([count, count])).readonly()]);
const named = (key: string): z.ZodType =>
  z.union([z.string(), z.looseObject({ [key]: z.string().optional() })]);

/** The whole configuration. The ranges of what trains are those of a run's own settings. */
export const configSchema = z.strictObject({
  recipe: setting(z.string(), {
    says: 'recipe that the rest changes',
    usual: 'none',
    flag: '--recipe',
    values: 'a name of `resnode recipes`',
  }),
  project: setting(z.string().min(1).max(200), {
    says: 'name of the run',
    usual: "the recipe's name",
    flag: '--project',
    values: 'the name of a folder',
  }),
  runDir: setting(path, { says: 'folder of all runs', usual: '`runs`', flag: '--run-dir' }),
  data: setting(path, { says: 'dataset, made by `resnode preprocess`', usual: "the run's", flag: '--data' }),
  model: setting(named('family'), {
    says: 'architecture',
    usual: '`resnet26`',
    flag: '--model',
    values: 'a name of `resnode summary --help`, or `{ family, ... }`',
  }),
  stages: setting(stages, {
    says: 'channels and blocks of each stage of a ResNet',
    usual: "the model's",
    flag: '--stages',
    values: "`[[128, 2], [256, 2]]` or `'128x2,256x2'`",
  }),
  block: setting(z.enum(blocks), { says: 'kind of block', usual: "the model's", flag: '--block' }),
  classes: setting(count, {
    says: "number of classes, to be sure of the dataset's",
    usual: "the dataset's",
    flag: '--classes',
  }),
  crop: setting(train.crop, {
    says: 'height and width of the pictures that the network sees',
    usual: "the model's, or 7/8 of smaller pictures",
    flag: '--crop',
  }),
  initialization: setting(train.initialization, {
    says: 'first weights of the convolutions',
    usual: '`xavier`',
    flag: '--initialization, --init',
  }),
  batchSize: setting(train.batchSize, { says: 'pictures in a batch', usual: '`64`', flag: '--batch-size' }),
  accumulate: setting(train.accumulate.unwrap(), {
    says: 'micro-batches that a batch is computed in, their gradients added up',
    usual: '`1`',
    flag: '--accumulate',
  }),
  clipNorm: setting(train.clipNorm.unwrap(), {
    says: 'largest norm of the gradient; 0: any',
    usual: '`0`',
    flag: '--clip-norm',
  }),
  clipValue: setting(train.clipValue.unwrap(), {
    says: 'largest magnitude of each number of the gradient; 0: any',
    usual: '`0`',
    flag: '--clip-value',
  }),
  precision: setting(train.precision.unwrap(), {
    says: 'numbers that layers compute with; `auto`: `bf16` where that is known to be faster, else `fp32`',
    usual: '`auto`',
    flag: '--precision',
  }),
  valBatchSize: setting(train.valBatchSize, {
    says: 'pictures in a validation batch',
    usual: '`batchSize / accumulate`',
    flag: '--val-batch-size',
  }),
  epochs: setting(train.epochs, { says: 'epochs of the whole run', usual: '`80`', flag: '--epochs' }),
  learningRate: setting(train.learningRate, {
    says: 'learning rate at first',
    usual: "the optimizer's: `0.01` for sgd, `0.001` for adam",
    flag: '--learning-rate, --lr',
  }),
  optimizer: setting(named('kind'), {
    says: 'rule of update with its settings: `momentum`, `nesterov`, `beta1`, `beta2`, `epsilon`, `weightDecay`, `noDecay`',
    usual: "`'sgd'`",
    flag: '--optimizer, --momentum, --weight-decay, --no-decay-norms, --decay-norms',
    values: "`'adam,beta1=0.8'` or `{ kind: 'adam', beta1: 0.8 }`",
  }),
  schedule: setting(named('name'), {
    says: 'learning rate from epoch to epoch',
    usual: "`'plateau'`",
    flag: '--schedule',
    values: "`'cosine,tMax=5'` or `{ name: 'cosine', tMax: 5 }`",
  }),
  labelSmoothing: setting(train.labelSmoothing, {
    says: 'share of the target spread over all classes',
    usual: '`0`',
    flag: '--label-smoothing',
  }),
  flip: setting(train.flip, {
    says: 'mirror half of the training pictures; not beside `transforms.train`',
    usual: '`true`',
    flag: '--no-flip, --flip',
  }),
  transforms: setting(
    z.union([transformLists, functionOf<(size: { height: number; width: number }) => Lists>()]),
    {
      says: 'what is done to training and validation pictures, in order',
      usual: 'a random crop, `flip`; the central crop',
      flag: '--no-transforms',
      values: '`{ train, val }`, or a function of `{ height, width }` that gives them',
    },
  ),
  seed: setting(train.seed, {
    says: 'seed of weights, order and transforms',
    usual: '`0`',
    flag: '--seed',
  }),
  shuffleBuffer: setting(train.shuffleBuffer, {
    says: 'of shards: pictures mixed at a time',
    usual: 'all of them',
    flag: '--shuffle-buffer',
  }),
  workers: setting(train.workers.unwrap(), {
    says: 'threads that load pictures; `auto`: chosen from the times of a picture and of a step; no influence on the result',
    usual: '`auto`',
    flag: '--workers',
  }),
  cache: setting(z.enum(['none', 'ram', 'disk']), {
    says: "keep decoded pictures, in memory or in the run's folder; no influence on the result",
    usual: '`none`',
    flag: '--cache',
  }),
  cacheSize: setting(z.union([z.string(), z.number()]), {
    says: 'most bytes of them; in memory also half of what is free',
    usual: "`'4GB'`",
    flag: '--cache-size',
    values: "`'4GB'`, `'500MiB'` or bytes",
  }),
  threads: setting(count.max(4096), {
    says: 'threads of the engine',
    usual: 'physical cores',
    flag: '--threads',
  }),
  engine: setting(train.engine, {
    says: 'what computes: oneDNN on the CPU, or LibTorch on a GPU or the CPU (see [gpu.md](gpu.md))',
    usual: '`auto`: a GPU where there is one, else `onednn`',
    flag: '--engine',
  }),
  devices: setting(train.devices.unwrap(), {
    says: 'a replica of the network on each, which share the batches: `cpu`, `cpu:2`, `cuda:0,cuda:1` (also for ROCm), `mps`',
    usual: 'a GPU where there is one, else `cpu`',
    flag: '--device, --devices',
    values: 'names of devices',
  }),
  syncBatchNorm: setting(z.boolean(), {
    says: 'take the statistics of batch norms over the pictures of all replicas',
    usual: '`false`',
    flag: '--sync-batch-norm, --no-sync-batch-norm',
  }),
  overlap: setting(train.overlap.unwrap(), {
    says: 'add the gradients of several ranks up beside the backward pass, not after it',
    usual: '`auto`: where the ranks are on several machines',
    flag: '--overlap',
  }),
  checkpointInterval: setting(train.checkpointInterval, {
    says: 'between two checkpoints: a number of epochs, or a text as `200steps` or `10min`',
    usual: '`1`',
    flag: '--checkpoint-interval',
  }),
  tensorboard: setting(train.tensorboard, {
    says: 'event files for TensorBoard, in the folder of the run',
    usual: '`true`',
    flag: '--tensorboard, --no-tensorboard',
  }),
  histograms: setting(train.histograms, {
    says: 'histograms of weights and gradients in them, at each checkpoint',
    usual: '`false`',
    flag: '--histograms, --no-histograms',
  }),
  mistakes: setting(train.mistakes, {
    says: 'misclassified pictures in them, when an epoch is the best so far',
    usual: '`0`',
    flag: '--mistakes',
  }),
  keepLast: setting(train.keepLast, {
    says: 'checkpoints to keep beside the best',
    usual: '`3`',
    flag: '--keep-last',
  }),
  log: setting(log, { says: 'log of a run', usual: '', flag: '', values: 'a section, see below' }),
  preprocess: setting(preprocess, {
    says: 'settings of `resnode preprocess`',
    usual: '',
    flag: '',
    values: 'a section, see below',
  }),
} satisfies Record<keyof Config, z.ZodType>);

type Lists = z.output<typeof transformLists>;

/** Sections within the configuration. */
export const sections = { log, preprocess } as const;

/** A setting with all that is said of it, in the order of the documentation. */
export interface SettingDescription extends SettingText {
  /** With the section in front: `log.level`. */
  readonly key: string;
  readonly values: string;
}

/** Every setting; a section's own come in its place. */
export function describeSettings(): SettingDescription[] {
  return Object.entries(configSchema.shape).flatMap(([key, schema]) => {
    const section = isSection(key) ? sections[key].shape : undefined;
    if (!section) return [describe(key, schema)];
    return Object.entries(section).map(([inner, each]) => describe(`${key}.${inner}`, each));
  });
}

/** What the option `key` may be, in words; undefined for one that is not known. */
export function settingRange(shape: Readonly<Record<string, z.ZodType>>, key: string): string | undefined {
  const schema = shape[key];
  return schema && (texts.get(schema)?.values ?? valueRange(schema));
}

/** Whether the configuration has a key of this name. */
export function isSetting(key: string): boolean {
  return Object.hasOwn(configSchema.shape, key);
}

export function isSection(key: string): key is keyof typeof sections {
  return Object.hasOwn(sections, key);
}

function describe(key: string, schema: z.ZodType): SettingDescription {
  const text = texts.get(schema);
  if (!text) throw new Error(`nothing is said of the setting ${key}`);
  return { key, ...text, values: text.values ?? valueRange(schema) };
}
