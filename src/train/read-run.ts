import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { didYouMean } from '../read-options.js';
import { type CheckpointInfo, readCheckpoint } from './checkpoint.js';
import { RunFolder } from './run-folder.js';

/** A run as its last checkpoint tells it. */
export interface Run {
  /** Name of its folder. */
  readonly name: string;
  readonly path: string;
  readonly info: CheckpointInfo;
}

export interface ReadRunOptions {
  /** Folder of all runs, where a name is looked for. Default: `runs`. */
  runDir?: string | undefined;
  /** Told when the last checkpoint is damaged and an older one is used. */
  onWarning?: ((message: string) => void) | undefined;
}

/**
 * Reads what a run says of itself.
 * @param run its folder, its name below `runDir`, or one of its checkpoints
 * @throws UserError when there is no such run, or it has no checkpoint yet
 */
export async function readRun(run: string, options: ReadRunOptions = {}): Promise<Run> {
  const { runDir = 'runs', onWarning = () => {} } = options;
  const path = await findRun(run, runDir);
  if (path.endsWith('.safetensors')) {
    const { info } = await readCheckpoint(path);
    return { name: basename(path, '.safetensors'), path, info };
  }
  const folder = new RunFolder({ runDir: dirname(path), project: basename(path) });
  const last = await folder.lastCheckpoint({
    onWarning,
  });
  if (last) return { name: basename(path), path, info: last.info };
  throw new UserError(`the run ${path} has no checkpoint yet`, {
    hint: 'It is written at the end of an epoch: wait for the first one.',
  });
}

async function findRun(run: string, runDir: string): Promise<string> {
  for (const path of [resolve(run), resolve(runDir, run)]) {
    if (path.endsWith('.safetensors') && (await exists(path))) return path;
    if (await exists(join(path, 'checkpoints'))) return path;
  }
  const known = await readdir(runDir).catch((): string[] => []);
  throw new UserError(`there is no run '${run}', neither as a folder nor below ${runDir}`, {
    hint: `${didYouMean(run, known)}${known.length ? `runs there: ${known.slice(0, 12).join(', ')}` : 'Give a run folder, or a name with --run-dir FOLDER.'}`,
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
