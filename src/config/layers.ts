import { defaultModel, type ModelSpec } from '../models/index.js';
import { parseStages } from '../models/stages.js';
import type { LogSettings } from '../report/log-settings.js';
import type { TrainSettings } from '../train/config.js';
import type { OptimizerSpec } from '../train/optimizers/index.js';
import { parseSchedule } from '../train/schedules/index.js';
import type { TransformLists } from '../train/transform-lists.js';
import type { Config, PreprocessSettings } from './config.js';
import { parseOptimizer } from './parse-optimizer.js';
import { isSection } from './schema.js';

/** Settings from one place. */
export interface Layer {
  /** The place, for people: `resnode.config.ts`, `recipe resnet20`, `flag`. */
  readonly source: string;
  readonly config: Config;
}

/** Settings from all places, one over the other. */
export interface MergedConfig {
  readonly project: string | undefined;
  readonly runDir: string | undefined;
  readonly log: LogSettings;
  readonly preprocess: PreprocessSettings;
  /** What a training is told. */
  readonly settings: TrainSettings;
  /** Source of each setting that is said anywhere, by its key: `epochs`, `optimizer.kind`, `log.level`. */
  readonly sources: ReadonlyMap<string, string>;
}

type Values = Map<string, { readonly value: unknown; readonly source: string }>;

/** Puts layers together, the one that wins first. */
export function mergeLayers(layers: readonly Layer[]): MergedConfig {
  const values: Values = new Map();
  for (const { source, config } of layers.toReversed()) {
    const said = flatten(config);
    makeRoom(values, said);
    for (const [key, value] of said) values.set(key, { value, source });
  }
  return {
    ...settingsOf(values),
    sources: new Map([...values].map(([key, { source }]) => [key, source])),
  };
}

/** What is said, by key; sections and the optimizer's settings singly. */
function flatten(config: Config): Map<string, unknown> {
  const said = new Map<string, unknown>();
  const put = (key: string, value: unknown): void => {
    if (value !== undefined) said.set(key, value);
  };
  for (const [key, value] of Object.entries(config)) {
    if (isSection(key) || key === 'optimizer') {
      const inner = typeof value === 'string' ? parseOptimizer(value) : ((value ?? {}) as object);
      for (const [name, each] of Object.entries(inner)) put(`${key}.${name}`, each);
    } else put(key, parsed(key, value));
  }
  return said;
}

function parsed(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (key === 'schedule') return parseSchedule(value);
  return key === 'stages' ? parseStages(value) : value;
}

/** Settings of which one makes others of a lower layer void. */
const voided: Readonly<Record<string, readonly string[]>> = {
  model: ['stages', 'block'],
  stages: ['model'],
  // said together: a new batch size does not leave the validation with the old one
  batchSize: ['valBatchSize'],
  'preprocess.valDir': ['preprocess.valSplit'],
  'preprocess.labelPattern': ['preprocess.readClassLabel'],
  'preprocess.readClassLabel': ['preprocess.labelPattern'],
};

function makeRoom(values: Values, said: ReadonlyMap<string, unknown>): void {
  for (const key of said.keys()) for (const other of voided[key] ?? []) values.delete(other);
  if (saysTraining(said.get('transforms'))) values.delete('flip');
  const before = values.get('optimizer.kind')?.value ?? 'sgd';
  const kind = said.get('optimizer.kind');
  if (kind === undefined || kind === before) return;
  for (const key of [...values.keys()]) if (key.startsWith('optimizer.')) values.delete(key);
}

/** Whether transforms say what is done to training pictures. */
function saysTraining(transforms: unknown): boolean {
  if (typeof transforms === 'function') return true;
  return (transforms as TransformLists | undefined)?.train !== undefined;
}

function settingsOf(values: Values): Omit<MergedConfig, 'sources'> {
  const simple: Record<string, unknown> = {};
  const inner: Record<'log' | 'preprocess' | 'optimizer', Record<string, unknown>> = {
    log: {},
    preprocess: {},
    optimizer: {},
  };
  for (const [key, { value }] of values) {
    const [section = '', name] = key.split('.');
    if (name === undefined) simple[key] = value;
    else inner[section as keyof typeof inner][name] = value;
  }
  const { recipe, project, runDir, model, stages, block, ...settings } = simple as Config;
  return {
    project,
    runDir,
    log: inner.log,
    preprocess: inner.preprocess,
    settings: {
      ...(settings as TrainSettings),
      model: modelOf({ model, stages, block }),
      optimizer: inner.optimizer as Partial<OptimizerSpec>,
    },
  };
}

function modelOf({
  model,
  stages,
  block,
}: Pick<Config, 'model' | 'stages' | 'block'>): ModelSpec | undefined {
  const beside = {
    ...(stages === undefined ? {} : { stages }),
    ...(block === undefined ? {} : { block }),
  };
  if (typeof model === 'object') return { ...model, ...beside } as ModelSpec;
  if (model === undefined && Object.keys(beside).length === 0) return undefined;
  return { name: model ?? (stages ? 'resnet' : defaultModel), ...beside } as ModelSpec;
}
