import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.js';
import { type ClassList, type ClassNaming, nameClasses, parseClassNames } from './class-names.js';
import { labelFolders, labelOf } from './labels.js';
import type { PreprocessOptions, ResolvedOptions } from './options.js';
import type { PictureSource } from './picture-table.js';
import { type ClassFolder, checkPictureFolder, type RejectedFile, type Scan, scanPictures } from './scan.js';
import { parseValList } from './val-list.js';

/** What a run has to do. */
export interface Inputs {
  readonly sources: readonly PictureSource[];
  /** In the order of their labels. */
  readonly classes: readonly ClassNaming[];
  readonly rejected: readonly RejectedFile[];
  readonly ignored: number;
  readonly warnings: readonly string[];
}

type Listening = Pick<PreprocessOptions, 'signal' | 'onProgress'>;

/** Finds all pictures and their classes. @throws UserError when there is nothing to make a dataset of */
export async function gatherInputs(resolved: ResolvedOptions, listening: Listening): Promise<Inputs> {
  const scan = await scanTraining(resolved, listening);
  const { ofFolder, sorted } = labelFolders(scan.folders, resolved);
  const ids = new Map(sorted.map((label, id) => [label, id]));
  const classList = await readClassNames(resolved, sorted);
  const { classes, unnamed } = nameClasses(sorted, classList);
  const training = scan.folders.map((folder, at): PictureSource => {
    const id = ids.get(ofFolder[at] as string) as number;
    const { path: shown, pictures: names } = folder;
    return { folder: join(resolved.pictures, shown), shown, origin: 'pictures', names, classes: () => id };
  });
  const validation = await scanValidation(resolved, { listening, labels: sorted, classList });
  return {
    sources: [...training, ...validation.sources],
    classes,
    rejected: [...scan.rejected, ...validation.rejected],
    ignored: scan.ignored + validation.ignored,
    warnings: [
      ...validation.warnings,
      ...(unnamed.length > 0 ? [`without a name in ${resolved.classNames}: ${few(unnamed)}`] : []),
    ],
  };
}

/** SHA-256 over all pictures by name, and their classes. */
export function listingHash({ sources, classes }: Pick<Inputs, 'sources' | 'classes'>): string {
  const hash = createHash('sha256').update(JSON.stringify(classes));
  for (const { shown, origin, names, classes: classOf } of sources) {
    hash.update(JSON.stringify([origin, shown, names, names.map(classOf)]));
  }
  return hash.digest('hex');
}

async function scanTraining(resolved: ResolvedOptions, listening: Listening): Promise<Scan> {
  const root = resolved.pictures;
  const scan = await scanFolder(root, listening);
  if (scan.folders.length > 0) return scan;
  const loose = scan.rejected.filter(({ file }) => !file.endsWith('/')).length;
  if (loose > 0) {
    throw new UserError(`${root} holds ${count(loose, 'picture')} but no folder per class`, {
      hint: 'Put the pictures of each class into a folder of their own, named after the class.',
    });
  }
  const others = scan.ignored > 0 ? ` (only ${count(scan.ignored, 'other file')})` : '';
  throw new UserError(`there are no pictures in ${root}${others}`, {
    hint: 'Give a folder that holds one folder of pictures per class.',
  });
}

function scanFolder(root: string, { signal, onProgress }: Listening, loose = false): Promise<Scan> {
  return scanPictures(root, {
    signal,
    loose,
    onFound: (found) => onProgress?.({ stage: 'scan', done: found, total: 0, rejected: 0 }),
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

async function readClassNames(
  { classNames }: ResolvedOptions,
  labels: readonly string[],
): Promise<ClassList | undefined> {
  if (classNames === undefined) return undefined;
  return parseClassNames(await readText(classNames), classNames, labels);
}

interface Validation {
  readonly sources: PictureSource[];
  readonly rejected: RejectedFile[];
  readonly ignored: number;
  readonly warnings: string[];
}

interface ValidationContext {
  readonly listening: Listening;
  readonly labels: readonly string[];
  readonly classList: ClassList | undefined;
}

async function scanValidation(resolved: ResolvedOptions, context: ValidationContext): Promise<Validation> {
  const { valDir, valList } = resolved;
  if (valDir === undefined) return { sources: [], rejected: [], ignored: 0, warnings: [] };
  await checkPictureFolder(valDir);
  const scan = await scanFolder(valDir, context.listening, valList !== undefined);
  if (scan.folders.length === 0) {
    throw new UserError(`there are no validation pictures in ${valDir}`, {
      hint:
        valList === undefined ? 'Without --val-list it needs a folder per class.' : 'Give another --val-dir.',
    });
  }
  const shown = basename(valDir);
  const under = (path: string): string => (path === '' ? shown : `${shown}/${path}`);
  const rejected = scan.rejected.map(({ file, reason }) => ({ file: under(file), reason }));
  const listed = await classesOf(scan.folders, resolved, context);
  const sources: PictureSource[] = [];
  for (const folder of scan.folders) {
    const path = (name: string): string => (folder.path === '' ? name : `${folder.path}/${name}`);
    const names = folder.pictures.filter((name) => {
      const id = listed.classOf(folder, path(name));
      if (id !== undefined && id >= 0) return true;
      const reason = id === undefined ? 'not in the validation list' : 'its class has no training pictures';
      rejected.push({ file: `${under(folder.path)}/${name}`, reason });
      return false;
    });
    const classes = (name: string): number => listed.classOf(folder, path(name)) as number;
    const place = { folder: join(valDir, folder.path), shown: under(folder.path) };
    if (names.length > 0) sources.push({ ...place, origin: 'valDir', names, classes });
  }
  if (sources.length === 0) {
    throw new UserError(`no picture in ${valDir} is of a class of the training pictures`, {
      hint: 'The classes are the folders of the training pictures.',
    });
  }
  return { sources, rejected, ignored: scan.ignored, warnings: listed.warnings };
}

interface ListedClasses {
  /** -1: of a class without training pictures; undefined: not listed. */
  readonly classOf: (folder: ClassFolder, path: string) => number | undefined;
  readonly warnings: string[];
}

async function classesOf(
  folders: readonly ClassFolder[],
  resolved: ResolvedOptions,
  { labels, classList }: ValidationContext,
): Promise<ListedClasses> {
  const { valList: file } = resolved;
  if (file === undefined) {
    const ids = new Map(labels.map((label, id) => [label, id]));
    const byFolder = new Map(folders.map(({ path }) => [path, ids.get(labelOf(path, resolved)) ?? -1]));
    return { classOf: ({ path }) => byFolder.get(path), warnings: [] };
  }
  const pictures = folders.flatMap(({ path, pictures: names }) =>
    names.map((name) => (path === '' ? name : `${path}/${name}`)),
  );
  const { classes, missing } = parseValList(await readText(file), { file, pictures, labels, classList });
  const warnings =
    missing.length > 0 ? [`${count(missing.length, 'picture')} of ${file} not found: ${few(missing)}`] : [];
  return { classOf: (_, path) => classes.get(path), warnings };
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
