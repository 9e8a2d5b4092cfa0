import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { readCsv } from './csv.js';
import type { Sample } from './sample.js';
import { shardFiles, shardSamples } from './shards/shard-samples.js';

/** What `resnode preprocess` wrote, read and checked. */
export interface Dataset {
  readonly folder: string;
  /** Labels; a label's position is its class id. */
  readonly classes: readonly string[];
  /** Mean of red, green and blue over the train pictures, 0-255; `imageNetMean` where none was computed. */
  readonly mean: readonly [number, number, number];
  /** Standard deviation likewise, above 0; `imageNetStd` where none was computed. */
  readonly std: readonly [number, number, number];
  readonly train: readonly Sample[];
  readonly val: readonly Sample[];
  /** Shortest side of any picture, in pixels: the largest crop. */
  readonly minSide: number;
  /**
   * SHA-256 over train.csv, val.csv and categories.csv: another one means other pictures or other classes. It is
   * the same for the same pictures in shards and in folders.
   */
  readonly fingerprint: string;
}

/** Mean of ImageNet's pictures, for datasets prepared without one (`--no-rgb-mean`). */
export const imageNetMean = [123.675, 116.28, 103.53] as const;
/** Standard deviation of ImageNet's pictures, as `imageNetMean`. */
export const imageNetStd = [58.395, 57.12, 57.375] as const;

const supportedVersion = 1;

const rgb = z.object({ R: z.number().min(0), G: z.number().min(0), B: z.number().min(0) });
const count = z.int().min(0);
const description = z.object({
  version: z.literal(supportedVersion),
  form: z.enum(['folders', 'shards']).default('folders'),
  shards: z.object({ train: count, val: count }).optional(),
  classes: z.int().min(1),
  counts: z.object({ train: count, val: count, rejected: count }),
  mean: rgb.nullable(),
  std: rgb.nullable(),
  minSide: z.int().min(1),
  maxSide: z.int().min(1),
});

const tables = { train: 'train.csv', val: 'val.csv', categories: 'categories.csv' } as const;
const prepareAgain = 'Prepare the pictures again with `resnode preprocess`, into a new folder.';

/**
 * Reads a dataset that `resnode preprocess` wrote; the pictures themselves are not looked at.
 * @throws UserError naming the file, and the line where there is one, of the first defect
 */
export async function readDataset(folder: string): Promise<Dataset> {
  const entries = await listFolder(folder);
  requireBegun(folder, entries);
  const described = parseDescription(
    join(folder, 'dataset.json'),
    await readText(join(folder, 'dataset.json')),
  );
  requireWhole(folder, entries, described);
  const [train, val, categories] = await Promise.all([
    readTable(folder, tables.train),
    readTable(folder, tables.val),
    readTable(folder, tables.categories),
  ]);
  const classes = parseCategories(categories, described.classes);
  const samples = async (split: 'train' | 'val', table: Table): Promise<Sample[]> => {
    const listed = parseSamples(table, { split, classes: classes.length, expected: described.counts[split] });
    return described.shards ? shardSamples(folder, split, described.shards[split], listed) : listed;
  };
  return {
    folder,
    classes,
    ...normalization(described),
    train: await samples('train', train),
    val: await samples('val', val),
    minSide: described.minSide,
    fingerprint: fingerprint([train, val, categories]),
  };
}

/** A CSV file as it was read. */
interface Table {
  readonly path: string;
  readonly text: string;
}

async function listFolder(folder: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint = 'Give the folder that `resnode preprocess PICTURES --out DATA` made.';
    if (code === 'ENOENT') throw new UserError(`there is no folder ${folder}`, { hint, cause: error });
    if (code === 'ENOTDIR') throw new UserError(`${folder} is not a folder`, { hint, cause: error });
    throw new UserError(`cannot read the folder ${folder}: ${message}`, { hint, cause: error });
  }
}

function requireBegun(folder: string, entries: ReadonlySet<string>): void {
  const begun = ['preprocess.unfinished', ...Object.values(tables)].some((name) => entries.has(name));
  if (!entries.has('dataset.json')) {
    if (begun) {
      throw new UserError(`${folder} holds half a dataset: dataset.json, which is written last, is missing`, {
        hint: 'The preparation was interrupted or still runs. Run `resnode preprocess` again as before.',
      });
    }
    throw new UserError(`${folder} is not a dataset: it has no dataset.json`, {
      hint: `If these are pictures, prepare them first: resnode preprocess ${folder} --out DATA`,
    });
  }
}

function requireWhole(
  folder: string,
  entries: ReadonlySet<string>,
  { shards }: z.output<typeof description>,
): void {
  const pictures = shards ? shardFiles(shards) : ['train', 'val'];
  const missing = [...Object.values(tables), ...pictures].find((name) => !entries.has(name));
  if (missing !== undefined) {
    throw new UserError(`${join(folder, missing)} is missing from the dataset`, { hint: prepareAgain });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function readTable(folder: string, name: string): Promise<Table> {
  const path = join(folder, name);
  return { path, text: await readText(path) };
}

function parseDescription(path: string, text: string): z.output<typeof description> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`, {
      hint: prepareAgain,
      cause: error,
    });
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== supportedVersion) {
    throw new UserError(`${path} is of version ${version}; this resnode reads version ${supportedVersion}`, {
      hint: prepareAgain,
    });
  }
  const result = description.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new UserError(`${path}: ${issue?.path.join('.') || 'content'}: ${issue?.message}`, {
    hint: prepareAgain,
  });
}

function normalization({ mean, std }: z.output<typeof description>): Pick<Dataset, 'mean' | 'std'> {
  return {
    mean: mean ? [mean.R, mean.G, mean.B] : imageNetMean,
    // a channel that never changes needs no scale
    std: std ? [std.R || 1, std.G || 1, std.B || 1] : imageNetStd,
  };
}

const wholeNumber = /^\d{1,9}$/;

function parseCategories({ path, text }: Table, expected: number): string[] {
  const rows = readCsv(text, { file: path, columns: ['id', 'label'] });
  const classes = new Array<string | undefined>(rows.length).fill(undefined);
  rows.forEach(({ id, label }, row) => {
    const where = (): string => `${path}, line ${lineOf(text, row)}`;
    if (!wholeNumber.test(id) || Number(id) >= rows.length) {
      throw new UserError(
        `${where()}: the id is ${quoted(id)}, but the ids are 0 to ${rows.length - 1}, each once`,
        { hint: prepareAgain },
      );
    }
    if (classes[Number(id)] !== undefined) {
      throw new UserError(`${where()}: the id ${id} is there twice`, { hint: prepareAgain });
    }
    if (label === '') throw new UserError(`${where()}: the label is empty`, { hint: prepareAgain });
    classes[Number(id)] = label;
  });
  requireCount(path, rows.length, expected, 'classes');
  return classes.filter((label) => label !== undefined);
}

function parseSamples(
  { path, text }: Table,
  { split, classes, expected }: { split: 'train' | 'val'; classes: number; expected: number },
): Sample[] {
  const rows = readCsv(text, { file: path, columns: ['image', 'class'] });
  const samples = rows.map((row, index): Sample => {
    const refuse = (defect: string): never => {
      throw new UserError(`${path}, line ${lineOf(text, index)}: ${defect}`, { hint: prepareAgain });
    };
    const { image, class: id } = row;
    if (image === '') refuse('the name of the image is empty');
    if (/[/\\\0]/.test(image) || image === '.' || image === '..') {
      refuse(`the image is ${quoted(image)}, which is not the bare name of a file`);
    }
    if (!wholeNumber.test(id)) refuse(`the class is ${quoted(id)}, which is not a class id`);
    if (Number(id) >= classes) refuse(`the class is ${id}, but the ids end at ${classes - 1}`);
    return { file: `${split}/${image}`, label: Number(id) };
  });
  requireCount(path, samples.length, expected, 'pictures');
  if (split === 'train' && samples.length === 0) {
    throw new UserError(`${path} names no pictures: there is nothing to train on`, { hint: prepareAgain });
  }
  return samples;
}

function requireCount(path: string, found: number, expected: number, what: string): void {
  if (found === expected) return;
  throw new UserError(`${path} names ${found} ${what}, dataset.json says ${expected}: was it cut off?`, {
    hint: 'Prepare the pictures again; if lines were removed on purpose, put dataset.json right as well.',
  });
}

function quoted(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

/** Number of the line on which a row of a table ends, for messages. */
function lineOf(text: string, row: number): number {
  const options = { bom: true, skip_empty_lines: true, info: true, from: row + 2, to: row + 2 } as const;
  const [record] = parse(text, options) as unknown as Array<{ info: { lines: number } }>;
  return record?.info.lines ?? row + 2;
}

function fingerprint(parts: readonly Table[]): string {
  const hash = createHash('sha256');
  // the length before each text keeps the border between two of them
  for (const { text } of parts) hash.update(`${Buffer.byteLength(text)}\n`).update(text);
  return hash.digest('hex');
}
