import { open, readdir, readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { describeOwner, isRunning, type Owner, thisOwner } from '../../system/owner.js';
import { syncFolder, writeFileAtomic } from '../atomic-write.js';
import { makeFolder } from '../make-folder.js';
import { shardPattern } from '../shards/shard-layout.js';
import { journalFile } from './journal.js';
import { spoolFileName, spoolFiles, spoolFolder } from './spool-store.js';

/** Present from the first moment of a run to its end; what holds it is no dataset yet. */
const marker = 'preprocess.unfinished';
const datasetFile = 'dataset.json';
/** Present once all pictures are done and shards are being made of them. */
const packingFile = 'preprocess.packing';
const splits = ['train', 'val'];
const tables = ['train.csv', 'val.csv', 'categories.csv', 'rejected.csv', 'rgb_val.json', datasetFile];
/** A file that was being written when its run was killed. */
const halfWritten = /^\..+\.[0-9a-f]{12}\.tmp$/;
/** What a new disk or a file browser puts into a folder that people call empty. */
const nothing = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', 'lost+found']);

/** Folders that this process is writing at the moment. */
const active = new Set<string>();

/** How a dataset keeps its pictures: each in a file, or many in a tar. */
export type DatasetForm = 'folders' | 'shards';

type State = { kind: 'absent' } | { kind: 'empty' } | { kind: 'unfinished'; owner: Owner | undefined };

/** A fault of the output disk or folder as a message for its owner. */
export function outputFault(out: string, error: { code?: string | undefined; message: string }): UserError {
  const reasons: Record<string, string> = {
    ENOSPC: 'no space is left on its disk',
    EDQUOT: "the user's disk quota is used up",
    EROFS: 'its disk is read-only',
    EACCES: 'no permission to write there',
    EPERM: 'no permission to write there',
    ENOENT: 'a folder cannot be made there',
    ENOTDIR: 'a part of its path is a file',
    ENAMETOOLONG: 'its path is too long',
  };
  const reason = reasons[error.code ?? ''] ?? error.message;
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new UserError(`cannot write the dataset in ${out}: ${reason}`, {
    hint: full
      ? 'Free some space, then run the same command again: it goes on where it stopped.'
      : 'Give a folder that you may write to with --out.',
    cause: error,
  });
}

/** @throws UserError when the folder must not be written to: a finished dataset, a run that goes on, other files */
export async function inspectOutput(out: string): Promise<State> {
  let entries: string[];
  try {
    if (!(await stat(out)).isDirectory()) {
      throw new UserError(`${out} is a file, not a folder`, { hint: 'Give a new folder with --out.' });
    }
    entries = (await readdir(out)).filter((name) => !nothing.has(name));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    throw outputFault(out, error as NodeJS.ErrnoException);
  }
  if (entries.length === 0) return { kind: 'empty' };
  if (entries.includes(datasetFile)) {
    throw new UserError(`${out} already holds a finished dataset; it is left as it is`, {
      hint: 'Train on it, give another folder with --out, or delete this one first.',
    });
  }
  if (!entries.includes(marker)) {
    throw new UserError(`${out} already holds something else (${entries[0]}); it is left as it is`, {
      hint: 'Give a new or an empty folder with --out.',
    });
  }
  const owner = await readOwner(out);
  const running = active.has(resolve(out)) || (owner && (await isRunning(owner)));
  if (running !== false && running !== undefined) {
    throw new UserError(
      `${out} is being written by another run (${owner ? describeOwner(owner) : 'this process'})`,
      {
        hint: 'Wait for it or stop it. If it is gone for good, delete the folder and run this again.',
      },
    );
  }
  const foreign = entries.filter((name) => !isOurs(name));
  if (foreign.length > 0) {
    throw new UserError(`${out} holds an unfinished dataset and something else (${foreign[0]})`, {
      hint: 'Move what is yours away, delete the folder, and run this again.',
    });
  }
  return { kind: 'unfinished', owner };
}

async function readOwner(out: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(join(out, marker), 'utf8')) as Owner;
  } catch {
    // cut off while it was being written: whoever wrote it is gone
    return undefined;
  }
}

function isOurs(name: string): boolean {
  return (
    [marker, packingFile, journalFile, spoolFolder].includes(name) ||
    splits.includes(name) ||
    shardPattern.test(name) ||
    tables.includes(name) ||
    halfWritten.test(name)
  );
}

/** The folder of one run, from the claim until it is finished or given up. */
export class OutputFolder {
  readonly path: string;
  /** Whether the leftovers of an interrupted run were removed. */
  readonly cleaned: boolean;
  readonly #created: boolean;

  private constructor(path: string, state: State, keep: boolean) {
    this.path = path;
    this.cleaned = state.kind === 'unfinished' && !keep;
    this.#created = state.kind === 'absent';
  }

  /**
   * Makes the folder ready for a run and marks it as unfinished.
   * @param options.keep whether to go on with the leftovers of an interrupted run; else they are removed
   * @throws UserError as `inspectOutput`, or when the folder cannot be written; the signal's reason
   */
  static async claim(
    out: string,
    options: { signal?: AbortSignal | undefined; keep?: boolean; form?: DatasetForm } = {},
  ): Promise<OutputFolder> {
    const { signal, keep = false, form = 'folders' } = options;
    const state = await inspectOutput(out);
    const folder = new OutputFolder(out, state, keep);
    try {
      await makeFolder(out);
      await writeMarker(out, state.kind === 'unfinished');
      active.add(resolve(out));
    } catch (error) {
      if (folder.#created) await rmdir(out).catch(() => {});
      throw error instanceof UserError ? error : outputFault(out, error as NodeJS.ErrnoException);
    }
    try {
      if (folder.cleaned) await removeContents(out, signal);
      else await removeHalfWritten(out);
      if (form === 'folders') for (const split of splits) await makeFolder(join(out, split));
    } catch (error) {
      active.delete(resolve(out));
      signal?.throwIfAborted();
      throw outputFault(out, error as NodeJS.ErrnoException);
    }
    return folder;
  }

  /** Where a picture of a split lies. */
  picture(validation: boolean, name: string): string {
    return join(this.path, validation ? 'val' : 'train', `${name}.jpg`);
  }

  /** Where the journal lies. */
  get journal(): string {
    return join(this.path, journalFile);
  }

  /** Says that all pictures are done: from now on the spool is used up. */
  async beginPacking(): Promise<void> {
    await this.#try(() => writeFileAtomic(join(this.path, packingFile), ''));
  }

  /** Writes a file beside the pictures. */
  async write(name: string, content: string | Iterable<string>): Promise<void> {
    await this.#try(() => writeFileAtomic(join(this.path, name), content));
  }

  /** Writes `dataset.json`, the mark of a whole dataset, and takes away what only an unfinished one has. */
  async finish(dataset: string): Promise<void> {
    await this.#try(async () => {
      for (const split of splits) {
        await syncFolder(join(this.path, split)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error;
        });
      }
      await writeFileAtomic(join(this.path, datasetFile), dataset);
      await removeSpool(this.path);
      for (const name of [journalFile, packingFile]) await rm(join(this.path, name), { force: true });
      await unlink(join(this.path, marker));
    });
    active.delete(resolve(this.path));
  }

  /** Leaves the unfinished folder to the next run. */
  abandon(): void {
    active.delete(resolve(this.path));
  }

  /** Removes everything that this run wrote. */
  async discard(): Promise<void> {
    this.abandon();
    await removeContents(this.path).catch(() => {});
    await unlink(join(this.path, marker)).catch(() => {});
    if (this.#created) await rmdir(this.path).catch(() => {});
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw outputFault(this.path, error as NodeJS.ErrnoException);
    }
  }
}

async function writeMarker(out: string, replace: boolean): Promise<void> {
  const path = join(out, marker);
  const text = `${JSON.stringify(await thisOwner())}\n`;
  if (replace) return writeFileAtomic(path, text);
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UserError(`${out} is being written by another run that has just started`);
  }
}

/** Removes what a run writes, and nothing else: a folder that holds other files is an error. */
async function removeContents(out: string, signal?: AbortSignal): Promise<void> {
  for (const split of splits) {
    const folder = join(out, split);
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      signal?.throwIfAborted();
      if (/^[0-9a-f]{32}\.jpg$/.test(name)) await unlink(join(folder, name));
    }
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await removeSpool(out);
  for (const name of await readdir(out)) {
    if (isOurs(name) && name !== marker) await rm(join(out, name), { force: true });
  }
}

async function removeHalfWritten(out: string): Promise<void> {
  for (const name of await readdir(out)) if (halfWritten.test(name)) await rm(join(out, name));
}

async function removeSpool(out: string): Promise<void> {
  const folder = join(out, spoolFolder);
  for (let bucket = 0; bucket < spoolFiles; bucket++) {
    await rm(join(folder, spoolFileName(bucket)), { force: true });
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Whether the pictures of an unfinished output were all done, and shards begun. */
export async function isPacking(out: string): Promise<boolean> {
  return (await readdir(out)).includes(packingFile);
}
