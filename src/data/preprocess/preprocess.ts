import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UserError } from '../../errors.js';
import { byCodePoint } from './code-point-order.js';
import { type DatasetPicture, datasetFiles } from './dataset-files.js';
import { labelFolders } from './labels.js';
import { type PreprocessOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { inspectOutput, OutputFolder, outputFault } from './output-folder.js';
import { type PictureOutcome, type PictureTask, prepareAll } from './prepare-all.js';
import { checkPictureFolder, type RejectedFile, type Scan, scanPictures } from './scan.js';
import { type Draw, drawFor, splitPictures } from './split.js';
import { ChannelStatistics, type Rgb } from './statistics.js';

/** What a run of `preprocess` made. */
export interface PreprocessResult {
  /** The dataset's folder. */
  readonly out: string;
  /** Labels in the order of their class ids. */
  readonly labels: readonly string[];
  readonly counts: { readonly train: number; readonly val: number; readonly rejected: number };
  /** Files that are no pictures and were passed over. */
  readonly ignored: number;
  /** Of the train pictures' pixels, 0 to 255; null without `rgbMean`. */
  readonly mean: Rgb | null;
  readonly std: Rgb | null;
  /** Every rejected file with its reason, as in rejected.csv. */
  readonly rejected: readonly RejectedFile[];
  /** What the user should know although the dataset is whole. */
  readonly warnings: readonly string[];
  /** Time for the pictures themselves, in seconds. */
  readonly seconds: number;
}

/** A picture on its way into the dataset. */
interface Picture {
  /** Path below the pictures' folder, '/' between parts. */
  readonly file: string;
  readonly label: string;
  readonly draw: Draw;
}

type Written = Extract<PictureOutcome, { kind: 'written' }>;

/**
 * Turns a folder of pictures (a folder per class) into a dataset: resized JPEGs under random names in
 * `train/` and `val/`, with `train.csv`, `val.csv`, `categories.csv`, `rgb_val.json`, `rejected.csv` and,
 * last of all, `dataset.json`. The same pictures and seed give the same bytes, whatever the number of workers.
 * @throws UserError for unusable input or output; the signal's reason when it was aborted
 */
export async function preprocess(options: PreprocessOptions): Promise<PreprocessResult> {
  const resolved = resolveOptions(options);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  const scan = await scanInput(resolved, options);
  const { ofFolder } = labelFolders(scan.folders, resolved);
  const pictures = scan.folders.flatMap((folder, index) =>
    folder.pictures.map((name): Picture => {
      const file = `${folder.path}/${name}`;
      return { file, label: ofFolder[index] ?? '', draw: drawFor(resolved.seed, file) };
    }),
  );
  const folder = await OutputFolder.claim(resolved.out, signal);
  try {
    const started = performance.now();
    const run = await preparePicturesInto(folder, pictures, resolved, options);
    const seconds = (performance.now() - started) / 1000;
    onProgress?.({
      stage: 'files',
      done: pictures.length,
      total: pictures.length,
      rejected: run.rejected.length,
    });
    const result = await finish(folder, pictures, run, resolved, scan);
    return { ...result, seconds };
  } catch (error) {
    // what an interruption leaves is cleared by the next run: leaving must be quick
    if (signal?.aborted) folder.abandon();
    else await folder.discard();
    throw error;
  }
}

async function scanInput(resolved: ResolvedOptions, options: PreprocessOptions): Promise<Scan> {
  const { pictures: root, out } = resolved;
  await checkPictureFolder(root);
  await checkPlaces(root, out);
  const scan = await scanPictures(root, {
    signal: options.signal,
    onFound: (found) => options.onProgress?.({ stage: 'scan', done: found, total: 0, rejected: 0 }),
  });
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

/** @throws UserError when one folder lies in the other, or the output cannot be used */
async function checkPlaces(pictures: string, out: string): Promise<void> {
  const [from, to] = await Promise.all([realPlace(pictures), realPlace(out)]);
  if (`${to}${sep}`.startsWith(`${from}${sep}`)) {
    throw new UserError(`the output folder ${out} lies inside the folder of pictures`, {
      hint: 'Give a folder outside of it with --out.',
    });
  }
  await inspectOutput(out);
}

/** The path without links, also when its last parts do not exist yet. */
async function realPlace(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(await realPlace(parent), basename(absolute));
  }
}

interface Run {
  /** The outcome of each picture, undefined where it was rejected. */
  readonly written: ReadonlyArray<Written | undefined>;
  readonly rejected: readonly RejectedFile[];
  /** Where each picture was written, before it was known which would be rejected. */
  readonly validation: readonly boolean[];
}

function* tasksFor(
  folder: OutputFolder,
  pictures: readonly Picture[],
  root: string,
  validation: readonly boolean[],
): Generator<PictureTask> {
  for (const [index, { file, draw }] of pictures.entries()) {
    const target = folder.picture(validation[index] ?? false, draw.name);
    yield { index, source: join(root, file), target };
  }
}

async function preparePicturesInto(
  folder: OutputFolder,
  pictures: readonly Picture[],
  options: ResolvedOptions,
  { signal, onProgress }: Pick<PreprocessOptions, 'signal' | 'onProgress'>,
): Promise<Run> {
  const validation = splitPictures(pictures, options.valSplit);
  const written = new Array<Written | undefined>(pictures.length);
  const rejected: RejectedFile[] = [];
  let done = 0;
  await prepareAll({
    tasks: tasksFor(folder, pictures, options.pictures, validation),
    settings: options.picture,
    workers: options.workers,
    signal,
    onOutcome: (outcome) => {
      if (outcome.kind === 'outputFault') throw outputFault(folder.path, outcome);
      if (outcome.kind === 'written') written[outcome.index] = outcome;
      else rejected.push({ file: pictures[outcome.index]?.file ?? '', reason: outcome.reason });
      done++;
      onProgress?.({ stage: 'pictures', done, total: pictures.length, rejected: rejected.length });
    },
  });
  return { written, rejected, validation };
}

/** Settles the split among the good pictures, counts, and writes the files beside them. */
async function finish(
  folder: OutputFolder,
  pictures: readonly Picture[],
  run: Run,
  options: ResolvedOptions,
  scan: Scan,
): Promise<Omit<PreprocessResult, 'seconds'>> {
  const rejected = [...scan.rejected, ...run.rejected].sort((a, b) => byCodePoint(a.file, b.file));
  const good = pictures.map((picture, index) => (run.written[index] ? picture : undefined));
  const labels = [...new Set(good.flatMap((picture) => picture?.label ?? []))].sort(byCodePoint);
  if (labels.length < 2) throw tooFewGood(options.pictures, labels, rejected);
  const validation = splitPictures(good, options.valSplit);
  const statistics = new ChannelStatistics();
  const kept: DatasetPicture[] = [];
  for (const [index, { label, draw }] of pictures.entries()) {
    const outcome = run.written[index];
    if (!outcome) continue;
    const { width, height, sums } = outcome;
    const isValidation = validation[index] ?? false;
    if (isValidation !== run.validation[index]) await folder.move(draw.name, isValidation);
    if (sums && !isValidation) statistics.add(sums, width * height);
    kept.push({ name: draw.name, label, validation: isValidation, width, height });
  }
  const { mean, std } = statistics.result() ?? { mean: null, std: null };
  const { files, dataset } = datasetFiles({ pictures: kept, labels, rejected, mean, std }, options);
  await folder.finish(files, dataset);
  const val = kept.filter((picture) => picture.validation).length;
  return {
    out: folder.path,
    labels,
    counts: { train: kept.length - val, val, rejected: rejected.length },
    ignored: scan.ignored,
    mean,
    std,
    rejected,
    warnings: warningsFor({ kept, labels, before: pictures, cleaned: folder.cleaned }, options),
  };
}

function tooFewGood(root: string, labels: readonly string[], rejected: readonly RejectedFile[]): UserError {
  const first = rejected.slice(0, 3).map(({ file, reason }) => `${file}: ${reason}`);
  const what = labels.length === 0 ? 'no picture' : `only the class ${JSON.stringify(labels[0])}`;
  return new UserError(`${what} in ${root} can be used; ${first.join('; ')}`, {
    hint: `${count(rejected.length, 'file')} could not be used. At least two classes need good pictures.`,
  });
}

function warningsFor(
  run: {
    kept: readonly DatasetPicture[];
    labels: readonly string[];
    before: readonly Picture[];
    cleaned: boolean;
  },
  options: ResolvedOptions,
): string[] {
  const warnings: string[] = [];
  if (run.cleaned) warnings.push(`the leftovers of an interrupted run in ${options.out} were removed`);
  const good = new Set(run.labels);
  const lost = [...new Set(run.before.map(({ label }) => label))].filter((label) => !good.has(label));
  if (lost.length > 0) warnings.push(`without a single good picture, left out: ${listed(lost)}`);
  const counts = new Map<string, number>();
  for (const { label } of run.kept) counts.set(label, (counts.get(label) ?? 0) + 1);
  const single = run.labels.filter((label) => counts.get(label) === 1);
  if (single.length > 0 && options.valSplit > 0) {
    warnings.push(`only one picture, so it is for training and none for validation: ${listed(single)}`);
  }
  return warnings;
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 5).join(', ');
  const noun = labels.length === 1 ? 'class' : 'classes';
  return `${noun} ${labels.length > 5 ? `${shown} and ${labels.length - 5} more` : shown}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
