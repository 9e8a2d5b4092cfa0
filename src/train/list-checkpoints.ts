import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../errors.js';
import { DamagedCheckpoint, parseCheckpoint } from './checkpoint.js';
import { type CheckpointFile, RunFolder } from './run-folder.js';
import { accuracyAfter } from './starting-point.js';

/** One checkpoint of a run, read and checked. */
export interface ListedCheckpoint {
  readonly path: string;
  /** Epochs finished, and batches of the next. */
  readonly epoch: number;
  readonly step: number;
  /** Percent, validation accuracy or that of the training; null within an epoch and for what cannot be read. */
  readonly accuracy: number | null;
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal; null for what cannot be read. */
  readonly sha256: string | null;
  readonly last: boolean;
  readonly best: boolean;
  /** `unknown`: it could not be read, or is of another version. */
  readonly state: 'whole' | 'damaged' | 'unknown';
  /** What is wrong with it. */
  readonly problem: string | null;
}

export interface CheckpointList {
  /** The run's folder. */
  readonly run: string;
  /** Oldest first; one that a marker names and that is gone counts as damaged. */
  readonly checkpoints: readonly ListedCheckpoint[];
}

/**
 * Reads every checkpoint of a run and checks that it is whole.
 * @param run.runDir folder of all runs; default `runs`
 * @throws UserError when the run has none
 * @example
 * const { checkpoints } = await listCheckpoints({ project: 'birds' });
 * const sound = checkpoints.every(({ state }) => state === 'whole');
 */
export async function listCheckpoints(run: {
  project: string;
  runDir?: string | undefined;
}): Promise<CheckpointList> {
  const folder = new RunFolder(run);
  const marks = { last: await folder.marked('last'), best: await folder.marked('best') };
  const checkpoints: ListedCheckpoint[] = [];
  // one after the other: each is read whole
  for (const file of (await folder.list()).toReversed()) {
    const checked = await check(file);
    if (checked) checkpoints.push({ ...checked, ...named(file.path, marks) });
  }
  for (const path of new Set([marks.best, marks.last])) {
    if (path === undefined || checkpoints.some((each) => each.path === path)) continue;
    const { epoch, step } = folder.fileOf(path) ?? { epoch: 0, step: 0 };
    const nothing = { accuracy: null, bytes: 0, sha256: null };
    const problem = 'the file is gone';
    checkpoints.push({ path, epoch, step, ...nothing, ...named(path, marks), state: 'damaged', problem });
  }
  if (checkpoints.length > 0) return { run: folder.path, checkpoints };
  throw new UserError(`the run ${folder.path} has no checkpoint`, {
    hint: `Train it first: resnode train --data DATA --project ${basename(folder.path)}`,
  });
}

function named(
  path: string,
  { last, best }: { last: string | undefined; best: string | undefined },
): Pick<ListedCheckpoint, 'last' | 'best'> {
  return { last: path === last, best: path === best };
}

type Checked = Omit<ListedCheckpoint, 'last' | 'best'>;

/** @returns undefined when the file is gone: a training that runs may have removed it meanwhile */
async function check({ path, epoch, step }: CheckpointFile): Promise<Checked | undefined> {
  const place = { path, epoch, step };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const state = code === 'EIO' ? 'damaged' : 'unknown';
    return { ...place, accuracy: null, bytes: 0, sha256: null, state, problem: message };
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const contents = { ...place, bytes: bytes.length, sha256 };
  try {
    const { info } = parseCheckpoint(path, bytes);
    const accuracy = step > 0 ? null : (accuracyAfter(info, epoch) ?? null);
    return { ...contents, accuracy, state: 'whole', problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const state = error instanceof DamagedCheckpoint ? 'damaged' : 'unknown';
    return { ...contents, accuracy: null, state, problem: error.message };
  }
}
