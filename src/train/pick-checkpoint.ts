import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
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
  const project = choice.project ?? (await latestRun(runDir));
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
  return folder.lastCheckpoint({ onDamaged: (message) => warn(`${message}; using the one before`) });
}

/** The run whose last checkpoint is the newest. */
async function latestRun(runDir: string): Promise<string> {
  const names = await readdir(runDir).catch(() => []);
  const times = await Promise.all(
    names.map(async (name) => {
      const marker = join(runDir, name, 'checkpoints', 'last');
      return {
        name,
        time: await stat(marker).then(
          ({ mtimeMs }) => mtimeMs,
          () => undefined,
        ),
      };
    }),
  );
  const runs = times.filter((each): each is { name: string; time: number } => each.time !== undefined);
  const [latest] = runs.sort((a, b) => b.time - a.time);
  if (latest) return latest.name;
  throw new UserError(`there is no trained run in ${runDir}`, {
    hint: 'Give --project NAME, --run-dir FOLDER or --checkpoint FILE; or train first: resnode train --data DATA --project NAME',
  });
}
