import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../data/atomic-write.js';
import { exitCodes, UserError } from '../errors.js';
import { type Checkpoint, type CheckpointInfo, readCheckpoint } from './checkpoint.js';
import { byPosition, RunFolder } from './run-folder.js';

/** Where a training shall start. */
export interface StartChoice {
  /** Name of the run. */
  readonly project: string;
  readonly runDir?: string | undefined;
  /** A checkpoint file of the run to go on from; anything else stands for its last one. */
  readonly resume?: boolean | string | undefined;
  /** Name of a new run, which starts from a checkpoint of `project` or from the file `resume`. */
  readonly fork?: string | undefined;
}

/** The checkpoint that a training starts from, and what it is to the run: its last, an earlier one, another run's. */
export interface StartingPoint {
  readonly kind: 'last' | 'earlier' | 'fork';
  readonly checkpoint: Checkpoint;
}

/**
 * Finds the checkpoint to start from; changes nothing.
 * @param folder of the run that is going to be trained
 * @returns undefined for a run that starts from the beginning
 * @throws UserError when the file that was named cannot be read or is not the run's, or a fork exists already
 */
export async function findStart(
  folder: RunFolder,
  choice: StartChoice,
  onWarning: (message: string) => void,
): Promise<StartingPoint | undefined> {
  const { resume, fork, project, runDir } = choice;
  if (fork !== undefined) {
    await requireNew(folder, fork);
    const source = new RunFolder({ runDir, project });
    const checkpoint =
      typeof resume === 'string' ? await readCheckpoint(resume) : await source.lastCheckpoint({ onWarning });
    if (checkpoint) return { kind: 'fork', checkpoint };
    throw new UserError(`there is nothing to fork: the run ${source.path} has no checkpoint`, {
      hint: 'Give --project NAME of a trained run, or --resume FILE.',
    });
  }
  if (typeof resume === 'string') {
    const checkpoint = await readCheckpoint(resume);
    await requireOwn(folder, resume);
    return { kind: 'earlier', checkpoint };
  }
  const checkpoint = await folder.lastCheckpoint({ onWarning });
  return checkpoint && { kind: 'last', checkpoint };
}

async function requireNew(folder: RunFolder, name: string): Promise<void> {
  if ((await folder.list()).length === 0) return;
  throw new UserError(`the run ${folder.path} exists already`, {
    hint: `Leave out --fork and give --project ${name} to go on with it, or fork to another name. Nothing was changed.`,
  });
}

async function requireOwn(folder: RunFolder, path: string): Promise<void> {
  const [own, at] = await Promise.all([realpath(folder.checkpoints), realpath(dirname(path))]);
  const inside = at === own || dirname(at) === join(own, 'replaced');
  if (inside && folder.fileOf(path)) return;
  throw new UserError(`${path} is not a checkpoint of the run ${folder.path}`, {
    exitCode: exitCodes.usage,
    hint: 'Add --fork NAME to start a new run from it. Nothing was changed.',
  });
}

/**
 * Makes the run folder agree with the starting point: it is the last checkpoint, later ones are out of the way,
 * and the mark of the best is on one that counts.
 * @returns accuracy of the checkpoint marked as the best; undefined where none is
 */
export async function settleStart(
  folder: RunFolder,
  start: StartingPoint | undefined,
  onWarning: (message: string) => void,
): Promise<number | undefined> {
  if (!start) return undefined;
  if (start.kind === 'fork') await settleFork(folder, start.checkpoint);
  if (start.kind === 'earlier') await goBack(folder, start.checkpoint, onWarning);
  return settleBest(folder, start.checkpoint.info);
}

/** Brings a copy of the checkpoint, and of the best one before it where that is still there. */
async function settleFork(folder: RunFolder, { path, info, bytes }: Checkpoint): Promise<void> {
  const best = info.best && bestName(folder, info.best.epoch);
  if (best && best !== basename(path)) {
    const found = await readCheckpoint(join(dirname(path), best)).catch(() => undefined);
    const same = found && accuracyAfter(found.info, found.info.epoch) === info.best?.accuracy;
    if (same) await writeFileAtomic(join(folder.checkpoints, best), found.bytes);
  }
  await adopt(folder, info, bytes);
}

function bestName(folder: RunFolder, epoch: number): string {
  return basename(folder.checkpointPath({ epoch, step: 0 }));
}

async function adopt(folder: RunFolder, info: CheckpointInfo, bytes: Uint8Array): Promise<void> {
  const own = folder.checkpointPath(info);
  await writeFileAtomic(own, bytes);
  await folder.mark('last', own);
}

async function goBack(
  folder: RunFolder,
  { path, info, bytes }: Checkpoint,
  onWarning: (message: string) => void,
): Promise<void> {
  const inPlace = (await realpath(dirname(path))) === (await realpath(folder.checkpoints));
  // marked first: a process that is killed now leaves a run that goes on from there
  if (inPlace) await folder.mark('last', folder.checkpointPath(info));
  const later = (await folder.list()).filter((file) => {
    const order = byPosition(file, info);
    return order > 0 || (order === 0 && !inPlace);
  });
  if (later.length > 0) {
    const aside = await folder.setAside(later.map((file) => file.path));
    const them = later.length === 1 ? 'a later checkpoint was' : `${later.length} later checkpoints were`;
    onWarning(`going back to ${path}: ${them} moved to ${aside}`);
  }
  if (!inPlace) await adopt(folder, info, bytes);
}

/** Puts the mark of the best on the best one that is there, up to where the run is; the earlier of equal ones. */
async function settleBest(folder: RunFolder, info: CheckpointInfo): Promise<number | undefined> {
  const marked = await folder.marked('best');
  const [best] = (await folder.list())
    .filter((file) => file.step === 0 && byPosition(file, info) <= 0)
    .map(({ path, epoch }) => ({ path, epoch, accuracy: accuracyAfter(info, epoch) ?? Number.NaN }))
    .filter(({ accuracy }) => !Number.isNaN(accuracy))
    .sort((a, b) => b.accuracy - a.accuracy || a.epoch - b.epoch);
  if (best && best.path !== marked) await folder.mark('best', best.path);
  if (!best && marked !== undefined) await folder.unmark('best');
  return best?.accuracy;
}

/** What counts for the best: of the validation, or of the training where nothing is validated. */
export function accuracyAfter({ history }: CheckpointInfo, epoch: number): number | undefined {
  const result = history.find((each) => each.epoch === epoch);
  return result?.valAccuracy ?? result?.trainAccuracy ?? undefined;
}
