import { basename, resolve } from 'node:path';
import type { Recipe } from '../recipes/recipe.js';
import type { Surroundings } from './surroundings.js';

export interface StarterOptions {
  /** Folder that the configuration is for. */
  readonly folder: string;
  readonly surroundings: Surroundings;
  readonly recipe?: Recipe | undefined;
}

/** Where a starter says that things are. */
export interface StarterPaths {
  readonly project: string;
  readonly data: string;
  /** Folder of the pictures, where there are some. */
  readonly input: string | undefined;
}

/** A line of a configuration: a comment, and the setting, which is itself a comment where it is the default. */
type Line = readonly [key: string, value: unknown, comment: string];

/** Name and folders for a starter; the dataset may have to be made yet. */
export function starterPaths({ folder, surroundings }: StarterOptions): StarterPaths {
  const { dataset, pictures, names } = surroundings;
  const project = basename(resolve(folder)).replace(/[^\w.-]+/g, '-') || 'classifier';
  const input = pictures?.folder;
  // a dataset cannot lie among the pictures that it is made of
  const made = input === '.' ? `../${project}-data` : names.has('data') ? 'dataset' : 'data';
  return { project: /^\.*$/.test(project) ? 'classifier' : project, data: dataset ?? made, input };
}

/** The text of a commented resnode.config.ts. */
export function starterConfig(options: StarterOptions): string {
  const { recipe } = options;
  const paths = starterPaths(options);
  return `${[
    "import { defineConfig } from 'resnode/config';",
    '',
    '// A flag of the command line wins over what is said here, and this over a recipe. What is a comment is the',
    '// default. `resnode config` prints all that is in force.',
    'export default defineConfig({',
    ...said(['project', paths.project, 'name of the run: its folder below runDir']),
    ...said(['data', paths.data, 'dataset to train on, made by `resnode preprocess`']),
    ...(recipe
      ? said(['recipe', recipe.name, `${recipe.says}; see \`resnode recipes\``])
      : usual(['recipe', 'resnet20', 'settings that belong together, see `resnode recipes`'])),
    '',
    ...trainingLines(recipe?.settings ?? {}).flatMap(usual),
    '',
    "  // log: { file: 'train.log', level: 'info', format: 'json' },",
    '',
    '  // how `resnode preprocess` makes the dataset of a folder of pictures',
    '  preprocess: {',
    ...preprocessLines(options, paths).map((line) => `  ${line}`),
    '  },',
    '});',
  ].join('\n')}\n`;
}

function trainingLines(settings: Recipe['settings']): Line[] {
  const all: Line[] = [
    ['runDir', 'runs', 'folder of all runs'],
    ['model', 'resnet26', 'see `resnode summary --help`'],
    ['crop', 224, "pixels that the network sees; by default the model's, or 7/8 of smaller pictures"],
    ['initialization', 'xavier', 'xavier or kaiming'],
    ['batchSize', 64, 'pictures in a batch'],
    ['valBatchSize', 64, 'pictures in a validation batch; by default batchSize'],
    ['epochs', 80, 'epochs of the whole run'],
    ['learningRate', 0.01, 'at first'],
    ['optimizer', { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-4 }, 'sgd, adam or adamw'],
    ['schedule', { name: 'plateau', factor: 0.5, patience: 3, threshold: 0.01 }, 'of the learning rate'],
    ['labelSmoothing', 0, 'share of the target spread over all classes'],
    ['seed', 0, 'of weights, order and transforms'],
    ['threads', 2, 'of the engine; by default physical cores'],
    ['checkpointInterval', 1, 'epochs between checkpoints'],
    ['keepLast', 3, 'checkpoints to keep beside the best'],
  ];
  return all.map(([key, value, comment]) => [key, settings[key as keyof typeof settings] ?? value, comment]);
}

function preprocessLines({ surroundings }: StarterOptions, { input, data }: StarterPaths): string[] {
  const classes = surroundings.pictures?.classes ?? [];
  const numbered = classes.length > 0 && classes.every((name) => /^\d+\.[^.]+$/.test(name));
  const label = "readClassLabel: (path) => path.split('/').at(-1)?.split('.').at(-1) ?? path,";
  return [
    ...(input === undefined
      ? usual(['input', '../photos', 'folder with a folder of pictures per class'])
      : said(['input', input, `folder with a folder of pictures per class (${classes.length} here)`])),
    ...said(['output', data, 'folder to make']),
    ...usual(['valSplit', 0.2, "part of each class's pictures for validation"]),
    ...usual(['size', 256, 'length of the smaller side, or { height, width }']),
    ...usual(['centerCrop', false, 'fill the whole size and cut off the rest']),
    ...usual(['rgbMean', true, 'compute mean and standard deviation']),
    '  // the class of a folder, by its path below `input`; by default the name of the folder',
    numbered ? `  ${label}` : `  // ${label}`,
  ];
}

function said([key, value, comment]: Line): string[] {
  return [`  // ${comment}`, `  ${key}: ${literal(value)},`];
}

function usual([key, value, comment]: Line): string[] {
  const setting = `  // ${key}: ${literal(value)},`;
  return [`${setting.padEnd(34)} // ${comment}`];
}

/** A value as TypeScript. */
function literal(value: unknown): string {
  if (typeof value === 'string') {
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${literal(each)}`)
    .join(', ')} }`;
}
