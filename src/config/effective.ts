import { join } from 'node:path';
import { type Dataset, readDataset } from '../data/dataset.js';
import { type ResolvedOptions, resolveOptions } from '../data/preprocess/options.js';
import { UserError } from '../errors.js';
import { physicalCores } from '../system/cpu.js';
import { defaultCacheSize } from '../train/cache-size.js';
import { type ResolvedTraining, resolveTraining, type TrainConfig } from '../train/config.js';
import { RunFolder } from '../train/run-folder.js';
import type { GatheredConfig } from './gather.js';
import { describeSettings } from './schema.js';

/** A setting as it is in force. */
export interface EffectiveSetting {
  /** `epochs`, `optimizer.momentum`, `log.level`. */
  readonly key: string;
  /** Undefined where nothing says it and there is no default. */
  readonly value: unknown;
  /** `flag`, the name of the configuration, `recipe resnet20`, `run runs/birds`, or `default`. */
  readonly source: string;
}

/** What a training with these settings would do. */
export interface EffectiveConfig {
  readonly settings: readonly EffectiveSetting[];
  /** Why the dataset could not be looked at, where it could not. */
  readonly unread: string | undefined;
}

/**
 * Fills in what the run before and the defaults say.
 * @throws UserError for settings that do not fit together, or not the dataset
 */
export async function effectiveConfig(gathered: GatheredConfig): Promise<EffectiveConfig> {
  const { project, runDir, settings: given } = gathered;
  const folder = project === undefined ? undefined : new RunFolder({ project, runDir });
  const saved = (await folder?.lastCheckpoint())?.info.config;
  const { dataset, unread } = await lookAt(given.data ?? saved?.data);
  const training = resolveTraining({ given, saved, dataset });
  const known: Known = { gathered, saved, training, run: folder?.path ?? join(runDir ?? 'runs', '') };
  const rows = describeSettings().flatMap(({ key }) => settingsOf(key, known));
  return { settings: rows, unread };
}

interface Known {
  readonly gathered: GatheredConfig;
  readonly saved: TrainConfig | undefined;
  readonly training: ResolvedTraining;
  readonly run: string;
}

async function lookAt(
  data: string | undefined,
): Promise<{ dataset: Dataset | undefined; unread: string | undefined }> {
  if (data === undefined) return { dataset: undefined, unread: 'no dataset is named' };
  try {
    return { dataset: await readDataset(data), unread: undefined };
  } catch (error) {
    if (error instanceof UserError) return { dataset: undefined, unread: error.message };
    throw error;
  }
}

/** Rows of one key of the schema: none for what stands within another, several for the optimizer. */
function settingsOf(key: string, known: Known): EffectiveSetting[] {
  const { gathered, training } = known;
  if (key === 'stages' || key === 'block') return [];
  if (key === 'model') {
    const named = ['model', 'stages', 'block'].find((each) => gathered.sources.has(each)) ?? key;
    return [{ key, value: training.model.name, source: sourceOf(named, known, 'model') }];
  }
  if (key === 'optimizer') {
    return Object.entries(training.config.optimizer).map(([name, value]) => ({
      key: `${key}.${name}`,
      value,
      source: sourceOf(`${key}.${name}`, known, key),
    }));
  }
  return [{ key, value: valueFor(key, known), source: sourceOf(key, known, key) }];
}

function sourceOf(key: string, { gathered, saved, training, run }: Known, savedKey: string): string {
  const said = gathered.sources.get(key);
  if (said !== undefined) return said;
  if (!saved || saved[savedKey as keyof TrainConfig] === undefined) return 'default';
  // what belongs to another optimizer, or to another batch size, was not taken over
  if (savedKey === 'optimizer' && saved.optimizer.kind !== training.config.optimizer.kind) return 'default';
  if (key === 'valBatchSize' && gathered.sources.has('batchSize')) return 'default';
  return `run ${run}`;
}

function valueFor(key: string, { gathered, training, saved, run }: Known): unknown {
  const { settings: given, preprocess, log } = gathered;
  const [section = '', name] = key.split('.');
  if (section === 'preprocess' && name !== undefined) {
    const said = preprocess[name as keyof typeof preprocess];
    return said ?? preparationDefault(name, gathered);
  }
  if (section === 'log' && name !== undefined) {
    const usual = { file: join(run, 'output.log'), level: 'info', format: 'text' };
    return log[name as keyof typeof log] ?? usual[name as keyof typeof usual];
  }
  switch (key) {
    case 'recipe':
      return gathered.recipe?.name;
    case 'project':
      return gathered.project;
    case 'runDir':
      return gathered.runDir ?? 'runs';
    case 'data':
      return given.data ?? saved?.data;
    case 'classes':
      return given.classes;
    case 'workers':
      return training.config.workers ?? 'auto';
    case 'cache':
      return training.config.cache ?? 'none';
    case 'cacheSize':
      return training.config.cacheSize ?? defaultCacheSize;
    case 'threads':
      return training.config.threads ?? physicalCores();
    case 'engine':
      return training.config.engine ?? 'auto';
    case 'precision':
      return training.config.precision ?? 'auto';
    default:
      return training.config[key as keyof TrainConfig];
  }
}

function preparationDefault(name: string, { settings }: GatheredConfig): unknown {
  if (name === 'output') return settings.data;
  const usual = resolveOptions({ pictures: '', out: '' });
  const { size, centerCrop, quality, statistics } = usual.picture;
  return { ...usual, size, centerCrop, quality, rgbMean: statistics, input: undefined }[
    name as keyof ResolvedOptions
  ];
}
