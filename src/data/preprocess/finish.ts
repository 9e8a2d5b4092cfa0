import { setImmediate as breathe } from 'node:timers/promises';
import { UserError } from '../../errors.js';
import type { ClassNaming } from './class-names.js';
import { byCodePoint } from './code-point-order.js';
import { type DatasetSummary, writeDatasetFiles } from './dataset-files.js';
import { type Findings, findingsOf, PictureNotes } from './findings.js';
import type { FolderStore } from './folder-store.js';
import type { Inputs } from './inputs.js';
import { readJournal } from './journal.js';
import type { PreprocessOptions, ResolvedOptions } from './options.js';
import { type OutputFolder, outputFault } from './output-folder.js';
import { type KeptPictures, packShards } from './pack-shards.js';
import { type PictureTable, pictureState } from './picture-table.js';
import type { RejectedFile } from './scan.js';
import { splitPictures } from './split.js';
import { SpoolStore } from './spool-store.js';
import { ChannelStatistics, type Rgb } from './statistics.js';

/** A run whose pictures are all done. */
export interface DoneRun {
  readonly folder: OutputFolder;
  readonly table: PictureTable;
  readonly store: FolderStore | SpoolStore;
  readonly inputs: Omit<Inputs, 'sources'>;
  readonly options: ResolvedOptions;
  readonly listening: Pick<PreprocessOptions, 'signal' | 'onProgress'>;
}

/** Settles the split among the good pictures, counts, and writes shards and the files beside the pictures. */
export async function finishDataset(run: DoneRun): Promise<DatasetSummary & { findings: Findings }> {
  const { folder, table, inputs, options } = run;
  const counted = await readCounts(run);
  const { classes, idOf } = classesLeft(table, inputs.classes);
  const rejected = [...inputs.rejected, ...counted.rejected].sort((a, b) => byCodePoint(a.file, b.file));
  if (classes.length < 2) throw tooFewGood(options.pictures, classes, rejected);
  await settle(run);
  const ordered = { train: table.ordered(false), val: table.ordered(true) };
  const shards = await pack(run, { ordered, idOf, kept: counted.kept });
  report(run, 'files', table.length);
  const { mean, std } = await statisticsOf(run);
  const { minSide, maxSide } = counted;
  const summary = { table, ordered, classes, idOf, rejected, mean, std, minSide, maxSide, shards };
  const findings = findingsOf(summary, counted.notes, counted.kept);
  await writeDatasetFiles(folder, summary, options);
  return { ...summary, findings };
}

function report({ table, listening }: DoneRun, stage: 'shards' | 'files', done: number): void {
  listening.onProgress?.({ stage, done, total: table.length, rejected: 0 });
}

interface Counts {
  readonly rejected: RejectedFile[];
  readonly minSide: number;
  readonly maxSide: number;
  readonly kept: KeptPictures;
  readonly notes: PictureNotes;
}

async function readCounts({ folder, table, listening }: DoneRun): Promise<Counts> {
  const rejected: RejectedFile[] = [];
  let [minSide, maxSide, count] = [Number.POSITIVE_INFINITY, 0, 0];
  const { length } = table;
  const notes = new PictureNotes(length);
  const kept = {
    offsets: new Float64Array(length),
    lengths: new Uint32Array(length),
    crcs: new Uint32Array(length),
  };
  for await (const records of readJournal(folder.journal)) {
    listening.signal?.throwIfAborted();
    count += records.length;
    for (const done of records) {
      const { index } = done;
      if (done.kind === 'rejected') {
        rejected.push({ file: table.file(index), reason: done.reason });
        continue;
      }
      minSide = Math.min(minSide, done.width, done.height);
      maxSide = Math.max(maxSide, done.width, done.height);
      notes.add(done);
      kept.offsets[index] = done.offset;
      kept.lengths[index] = done.length;
      kept.crcs[index] = done.crc;
    }
  }
  if (count === length) return { rejected, minSide, maxSide, kept, notes };
  throw new UserError(`the journal of ${folder.path} is damaged: ${count} of ${length} pictures are in it`, {
    hint: 'Run the same command again: it makes the others anew.',
  });
}

/** Mean and deviation of the pictures that are for training, which only now is known. */
async function statisticsOf({
  folder,
  table,
  listening,
}: DoneRun): Promise<{ mean: Rgb | null; std: Rgb | null }> {
  const statistics = new ChannelStatistics();
  for await (const records of readJournal(folder.journal)) {
    listening.signal?.throwIfAborted();
    for (const done of records) {
      if (done.kind !== 'written' || !done.sums || table.validation[done.index] === 1) continue;
      statistics.add(done.sums, done.width * done.height);
    }
  }
  return statistics.result() ?? { mean: null, std: null };
}

/** The classes with a good picture, and the id of each label among them. */
function classesLeft(
  table: PictureTable,
  all: readonly ClassNaming[],
): { classes: ClassNaming[]; idOf: Int32Array } {
  const good = new Uint8Array(all.length);
  for (let index = 0; index < table.length; index++) {
    if (table.states[index] === pictureState.written) good[table.classes[index] as number] = 1;
  }
  const idOf = new Int32Array(all.length).fill(-1);
  const classes: ClassNaming[] = [];
  for (const [label, naming] of all.entries()) {
    if (good[label]) idOf[label] = classes.push(naming) - 1;
  }
  return { classes, idOf };
}

/** Splits again without the rejected pictures, and moves those which that puts to the other side. */
async function settle({ folder, table, store, options, listening }: DoneRun): Promise<void> {
  if (options.valDir !== undefined) return;
  const before = table.validation.slice();
  const { length, classes, draws } = table;
  const isIn = (index: number): boolean => table.states[index] === pictureState.written;
  table.validation.set(splitPictures({ length, classes, draws, isIn }, options.valSplit));
  if (store instanceof SpoolStore) return;
  for (let index = 0; index < length; index++) {
    if (!isIn(index) || table.validation[index] === before[index]) continue;
    listening.signal?.throwIfAborted();
    await store.settle(index).catch((error: NodeJS.ErrnoException) => {
      throw outputFault(folder.path, error);
    });
  }
  await breathe();
}

async function pack(
  run: DoneRun,
  parts: Pick<Parameters<typeof packShards>[0], 'ordered' | 'idOf' | 'kept'>,
): Promise<DatasetSummary['shards']> {
  const { folder, table, store, options, listening } = run;
  if (!(store instanceof SpoolStore) || options.shardSize === undefined) return undefined;
  try {
    await store.sync();
    await folder.beginPacking();
    return await packShards({
      ...{ ...parts, table, store, out: folder.path, size: options.shardSize, signal: listening.signal },
      onPacked: (pictures) => report(run, 'shards', pictures),
    });
  } catch (error) {
    listening.signal?.throwIfAborted();
    throw error instanceof UserError ? error : outputFault(folder.path, error as NodeJS.ErrnoException);
  }
}

/** What cannot be mended by going on. */
export class TooFewGood extends UserError {}

function tooFewGood(
  root: string,
  classes: readonly ClassNaming[],
  rejected: readonly RejectedFile[],
): UserError {
  const first = rejected.slice(0, 3).map(({ file, reason }) => `${file}: ${reason}`);
  const what = classes.length === 0 ? 'no picture' : `only the class ${JSON.stringify(classes[0]?.name)}`;
  const files = `${rejected.length} file${rejected.length === 1 ? '' : 's'}`;
  return new TooFewGood(`${what} in ${root} can be used; ${first.join('; ')}`, {
    hint: `${files} could not be used. At least two classes need good pictures.`,
  });
}
