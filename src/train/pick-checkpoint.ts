import { UserError } from '../errors.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { latestRun } from './latest-run.js';
import { RunFolder } from './run-folder.js';

/** Which checkpoint: a file, or the last (or best) one of a run; of the run that saved last by default. */
export interface CheckpointChoice {
  /** Path of a file; nothing else counts then. */
  checkpoint?: string | undefined;
  /** Name of a run below `runDir`. */
  project?: string | undefined;
  /** Default: `runs`. */
  runDir?: string | undefined;
  /** The one with the best validation accuracy instead of the last. */
  best?: boolean | undefined;
  /** Told when the last one is damaged and an older one is used. */
  onWarning?: ((message: string) => void) | undefined;
}

/** @throws UserError when there is none, or it cannot be read */
export async function pickCheckpoint(choice: CheckpointChoice): Promise<Checkpoint> {
  const { checkpoint, runDir = 'runs', best = false, onWarning = () => {} } = choice;
  if (checkpoint !== undefined) return readCheckpoint(checkpoint);
  const project = choice.project ?? (await requireLatestRun(runDir));
  const folder = new RunFolder({ runDir, project });
  const found = best ? await bestOf(folder) : await lastOf(folder, onWarning);
  if (found) return found;
  throw new UserError(`the run ${folder.path} has no checkpoint${best ? ' marked as the best' : ''}`, {
    hint: `Train it first: resnode train --data DATA --project ${project}`,
  });
}

async function bestOf(folder: RunFolder): Promise<Checkpoint | undefined> {
  const path = await folder.marked('best');
  return path === undefined ? undefined : readCheckpoint(path);
}

function lastOf(folder: RunFolder, warn: (message: string) => void): Promise<Checkpoint | undefined> {
  return folder.lastCheckpoint({ onWarning: warn });
}

/** @throws UserError when no run has been trained */
export async function requireLatestRun(runDir: string): Promise<string> {
  const latest = await latestRun(runDir);
  if (latest !== undefined) return latest;
  throw new UserError(`there is no trained run in ${runDir}`, {
    hint: 'Give --project NAME, --run-dir FOLDER or --checkpoint FILE; or train first: resnode train --data DATA --project NAME',
  });
}
