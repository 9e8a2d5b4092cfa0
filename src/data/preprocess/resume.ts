import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { UserError } from '../../errors.js';
import { resnodeVersion } from '../../version.js';
import {
  type JournalRecord,
  type JournalSubject,
  JournalWriter,
  journalFile,
  readBoot,
  readJournal,
  readJournalHeader,
  type SourceStamp,
} from './journal.js';
import type { ResolvedOptions } from './options.js';
import { inspectOutput, isPacking, type OutputFolder } from './output-folder.js';
import type { PictureStore } from './picture-store.js';
import { type PictureTable, pictureState } from './picture-table.js';

/** Everything but the pictures that the result depends on, in the words of the options. */
export function settingsOf(options: ResolvedOptions): Record<string, unknown> {
  const { picture, valSplit, valDir, seed, shardSize } = options;
  return {
    size: picture.size,
    'center-crop': picture.centerCrop,
    quality: picture.quality,
    'rgb-mean': picture.statistics,
    'val-split': valDir === undefined ? valSplit : null,
    seed,
    shards: shardSize ?? null,
    'version of resnode': resnodeVersion,
    'version of sharp': sharp.versions.sharp ?? null,
    'version of libvips': sharp.versions.vips,
  };
}

/**
 * Whether to go on with what is in the output folder; false to begin with an empty one.
 * @throws UserError when an interrupted run is there that this one does not go on with, and it was not said to
 *   start over; or when one was asked for and there is none
 */
export async function goesOn(options: ResolvedOptions, subject: JournalSubject): Promise<boolean> {
  const { out, resume } = options;
  if (resume === false) return false;
  const state = await inspectOutput(out);
  const before = state.kind === 'unfinished' ? await readJournalHeader(join(out, journalFile)) : undefined;
  if (!before) {
    if (!resume) return false;
    throw new UserError(`there is no interrupted run in ${out} to go on with`, {
      hint: 'Leave out --resume.',
    });
  }
  const reason = differenceOf(before, subject);
  if (reason === undefined) return true;
  throw new UserError(`${out} holds an interrupted run ${reason}`, {
    hint: 'Run the same command as before to go on with it, add --no-resume to start over, or give another --out.',
  });
}

function differenceOf(before: JournalSubject, now: JournalSubject): string | undefined {
  for (const [name, value] of Object.entries(now.settings)) {
    const [was, is] = [JSON.stringify(before.settings[name]), JSON.stringify(value)];
    if (was !== is) return `with another ${name} (${was}, now ${is})`;
  }
  if (before.listing === now.listing && before.pictures === now.pictures) return undefined;
  return before.pictures === now.pictures
    ? 'of other pictures or with other classes'
    : `of other pictures (${before.pictures}, now ${now.pictures})`;
}

/**
 * Takes over what an interrupted run has done, as far as it can be trusted: the picture's file is as it was
 * then, and so is what was written; after a restart of the machine, that is looked at byte for byte.
 * @returns the journal to go on with
 */
export async function takeOver(options: {
  folder: OutputFolder;
  table: PictureTable;
  store: PictureStore;
  subject: JournalSubject;
  signal: AbortSignal | undefined;
  onChecked: (done: number) => void;
}): Promise<JournalWriter> {
  const { folder, table, store, subject, signal, onChecked } = options;
  const [boot, packing, before] = await Promise.all([
    readBoot(),
    isPacking(folder.path),
    readJournalHeader(folder.journal),
  ]);
  const restarted = boot === null || boot !== before?.boot;
  // while packing, pictures leave the spool for shards that are whole
  const isGood = (done: JournalRecord): boolean => packing || isTrusted(done, { table, store, restarted });
  const fresh = join(folder.path, `.${journalFile}.${randomBytes(6).toString('hex')}.tmp`);
  const writer = JournalWriter.begin(fresh, subject, boot);
  let checked = 0;
  try {
    for await (const records of readJournal(folder.journal)) {
      signal?.throwIfAborted();
      for (const done of records) {
        const { index, kind } = done;
        if (index >= table.length || table.states[index] !== pictureState.pending) continue;
        if (isGood(done)) {
          table.states[index] = pictureState[kind];
          writer.append(done);
        } else await store.drop(index);
      }
      checked += records.length;
      onChecked(checked);
    }
  } catch (error) {
    writer.close();
    await rm(fresh, { force: true });
    throw error;
  }
  writer.close();
  await rename(fresh, folder.journal);
  return JournalWriter.goOn(folder.journal);
}

function isTrusted(
  done: JournalRecord,
  { table, store, restarted }: { table: PictureTable; store: PictureStore; restarted: boolean },
): boolean {
  const { index, stamp } = done;
  if (!stamp || !isUnchanged(table.path(index), stamp)) return false;
  if (done.kind === 'rejected') return true;
  if (!store.holds(index, done)) return false;
  return !restarted || crc32(store.read(index, done)) === done.crc;
}

function isUnchanged(path: string, { size, changed }: SourceStamp): boolean {
  try {
    const now = statSync(path);
    return now.size === size && now.mtimeMs === changed;
  } catch {
    // gone or hidden: the run itself will say so
    return false;
  }
}
