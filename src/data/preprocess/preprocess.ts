import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UserError } from '../../errors.js';
import type { DatasetSummary } from './dataset-files.js';
import type { Findings } from './findings.js';
import { finishDataset, TooFewGood } from './finish.js';
import { FolderStore } from './folder-store.js';
import { gatherInputs, type Inputs, listingHash } from './inputs.js';
import { type JournalSubject, JournalWriter, readBoot } from './journal.js';
import { type PreprocessOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { inspectOutput, OutputFolder, outputFault } from './output-folder.js';
import { PictureTable, pictureState } from './picture-table.js';
import { type PictureTask, prepareAll } from './prepare-all.js';
import { goesOn, settingsOf, takeOver } from './resume.js';
import { checkPictureFolder, type RejectedFile } from './scan.js';
import { splitPictures } from './split.js';
import { SpoolStore } from './spool-store.js';
import type { Rgb } from './statistics.js';
import { warningsFor } from './warnings.js';

/** What a run of `preprocess` made. */
export interface PreprocessResult {
  /** The dataset's folder. */
  readonly out: string;
  /** Names of the classes in the order of their ids. */
  readonly labels: readonly string[];
  readonly counts: { readonly train: number; readonly val: number; readonly rejected: number };
  /** Number of tar files; undefined for a dataset of a file for each picture. */
  readonly shards: { readonly train: number; readonly val: number } | undefined;
  /** Files that are no pictures and were passed over. */
  readonly ignored: number;
  /** Of the train pictures' pixels, 0 to 255; null without `rgbMean`. */
  readonly mean: Rgb | null;
  readonly std: Rgb | null;
  /** Every rejected file with its reason, as in rejected.csv. */
  readonly rejected: readonly RejectedFile[];
  /** What the user should know although the dataset is whole. */
  readonly warnings: readonly string[];
  /** What the pictures themselves give to think about. */
  readonly findings: Findings;
  /** Pictures that an interrupted run had done. */
  readonly resumed: number;
  /** Time for the pictures themselves, without the resumed ones, in seconds. */
  readonly seconds: number;
}

type Listening = Pick<PreprocessOptions, 'signal' | 'onProgress'>;

/**
 * Turns a folder of pictures (a folder per class) into a dataset: resized JPEGs under random names in
 * `train/` and `val/` or in tar shards, with `train.csv`, `val.csv`, `categories.csv`, `rgb_val.json`,
 * `rejected.csv` and, last of all, `dataset.json`. The same pictures and seed give the same bytes, whatever the
 * number of workers, and however often it was interrupted.
 * @throws UserError for unusable input or output; the signal's reason when it was aborted
 */
export async function preprocess(options: PreprocessOptions): Promise<PreprocessResult> {
  const resolved = resolveOptions(options);
  options.signal?.throwIfAborted();
  const { table, subject, inputs } = await look(resolved, options);
  const keep = await goesOn(resolved, subject);
  const folder = await OutputFolder.claim(resolved.out, {
    signal: options.signal,
    keep,
    form: resolved.shardSize === undefined ? 'folders' : 'shards',
  });
  const run = new Run({ folder, table, subject, inputs, resolved, listening: options });
  try {
    return await run.whole(keep);
  } catch (error) {
    // what is done stays for the next run, unless that could not end otherwise either
    if (error instanceof TooFewGood) await folder.discard();
    else folder.abandon();
    throw error;
  }
}

type RestOfInputs = Omit<Inputs, 'sources'>;

/** Looks at everything before anything is written. */
async function look(
  resolved: ResolvedOptions,
  listening: Listening,
): Promise<{ table: PictureTable; subject: JournalSubject; inputs: RestOfInputs }> {
  await checkPictureFolder(resolved.pictures);
  await checkPlaces(resolved);
  const { sources, ...inputs } = await gatherInputs(resolved, listening);
  const table = new PictureTable(sources, resolved.seed);
  splitAtFirst(table, resolved);
  const listing = listingHash({ sources, classes: inputs.classes });
  const subject = { settings: settingsOf(resolved), listing, pictures: table.length };
  return { table, subject, inputs };
}

/** The split as if every picture were good. */
function splitAtFirst(table: PictureTable, { valDir, valSplit }: ResolvedOptions): void {
  const { length, classes, draws, validation } = table;
  if (valDir === undefined) {
    validation.set(splitPictures({ length, classes, draws, isIn: () => true }, valSplit));
    return;
  }
  for (let index = 0; index < length; index++) validation[index] = table.isFromValDir(index) ? 1 : 0;
}

/** @throws UserError when one folder lies in another, or the output cannot be used */
async function checkPlaces({ pictures, valDir, out }: ResolvedOptions): Promise<void> {
  const [from, to] = await Promise.all([realPlace(pictures), realPlace(out)]);
  const lies = (inner: string, outer: string): boolean => `${inner}${sep}`.startsWith(`${outer}${sep}`);
  const hint = 'Give a folder outside of it with --out.';
  if (lies(to, from)) {
    throw new UserError(`the output folder ${out} lies inside the folder of pictures`, { hint });
  }
  if (valDir !== undefined) {
    const val = await realPlace(valDir);
    if (lies(to, val)) throw new UserError(`the output folder ${out} lies inside ${valDir}`, { hint });
    if (lies(val, from) || lies(from, val)) {
      throw new UserError(`the validation folder ${valDir} and the folder of pictures lie in each other`, {
        hint: 'Validation pictures need a folder of their own, beside that of the training pictures.',
      });
    }
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

/** A run from the claim of its folder on. */
class Run {
  readonly #folder: OutputFolder;
  readonly #table: PictureTable;
  readonly #subject: JournalSubject;
  readonly #inputs: RestOfInputs;
  readonly #options: ResolvedOptions;
  readonly #listening: Listening;

  constructor(parts: {
    folder: OutputFolder;
    table: PictureTable;
    subject: JournalSubject;
    inputs: RestOfInputs;
    resolved: ResolvedOptions;
    listening: Listening;
  }) {
    this.#folder = parts.folder;
    this.#table = parts.table;
    this.#subject = parts.subject;
    this.#inputs = parts.inputs;
    this.#options = parts.resolved;
    this.#listening = parts.listening;
  }

  async whole(keep: boolean): Promise<PreprocessResult> {
    const store = await this.#try(() => this.#openStore());
    try {
      const journal = await this.#try(() => this.#openJournal(store, keep));
      const resumed = this.#count(pictureState.written) + this.#count(pictureState.rejected);
      const started = performance.now();
      try {
        await this.#prepare(store, journal, resumed);
        if (this.#options.shardSize !== undefined) await this.#try(async () => journal.sync());
      } finally {
        journal.close();
      }
      const seconds = (performance.now() - started) / 1000;
      const [folder, table, inputs, listening] = [this.#folder, this.#table, this.#inputs, this.#listening];
      const summary = await finishDataset({
        folder,
        table,
        store,
        inputs,
        listening,
        options: this.#options,
      });
      return { ...this.#result(summary, resumed), seconds };
    } finally {
      await store.close();
    }
  }

  async #openStore(): Promise<FolderStore | SpoolStore> {
    if (this.#options.shardSize === undefined) return new FolderStore(this.#folder, this.#table);
    return SpoolStore.open(this.#folder.path, this.#table);
  }

  async #openJournal(store: FolderStore | SpoolStore, keep: boolean): Promise<JournalWriter> {
    if (!keep) return JournalWriter.begin(this.#folder.journal, this.#subject, await readBoot());
    const { signal } = this.#listening;
    const [folder, table, subject] = [this.#folder, this.#table, this.#subject];
    return takeOver({
      ...{ folder, table, store, subject, signal },
      onChecked: (done) => this.#report('check', done, 0),
    });
  }

  async #prepare(store: FolderStore | SpoolStore, journal: JournalWriter, resumed: number): Promise<void> {
    const table = this.#table;
    let done = resumed;
    let rejected = this.#count(pictureState.rejected);
    if (resumed > 0) this.#report('pictures', done, rejected);
    await prepareAll({
      tasks: pendingTasks(table),
      store,
      settings: this.#options.picture,
      workers: this.#options.workers,
      signal: this.#listening.signal,
      onOutcome: (outcome) => {
        if (outcome.kind === 'outputFault') throw outputFault(this.#folder.path, outcome);
        try {
          journal.append(outcome);
        } catch (error) {
          throw outputFault(this.#folder.path, error as NodeJS.ErrnoException);
        }
        table.states[outcome.index] = pictureState[outcome.kind];
        done++;
        if (outcome.kind === 'rejected') rejected++;
        this.#report('pictures', done, rejected);
      },
    });
  }

  #report(stage: 'check' | 'pictures', done: number, rejected: number): void {
    this.#listening.onProgress?.({ stage, done, total: this.#table.length, rejected });
  }

  #count(state: number): number {
    let count = 0;
    for (const one of this.#table.states) if (one === state) count++;
    return count;
  }

  #result(
    summary: DatasetSummary & { findings: Findings },
    resumed: number,
  ): Omit<PreprocessResult, 'seconds'> {
    const { ordered, classes, rejected, mean, std, shards, findings } = summary;
    const cleaned = this.#folder.cleaned;
    return {
      out: this.#folder.path,
      labels: classes.map(({ name }) => name),
      counts: { train: ordered.train.length, val: ordered.val.length, rejected: rejected.length },
      ...{ shards, ignored: this.#inputs.ignored, mean, std, rejected, findings, resumed },
      warnings: [
        ...this.#inputs.warnings,
        ...warningsFor({ summary, all: this.#inputs.classes, cleaned, resumed }, this.#options),
      ],
    };
  }

  /** Faults of the output are the user's to mend. */
  async #try<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      this.#listening.signal?.throwIfAborted();
      if (error instanceof UserError || !(error as NodeJS.ErrnoException).code) throw error;
      throw outputFault(this.#folder.path, error as NodeJS.ErrnoException);
    }
  }
}

function* pendingTasks(table: PictureTable): Generator<PictureTask> {
  for (let index = 0; index < table.length; index++) {
    if (table.states[index] === pictureState.pending) yield { index, source: table.path(index) };
  }
}
