import { readdir, readFile, rename, rmdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../data/atomic-write.js';
import { makeFolder } from '../data/make-folder.js';
import { exitCodes, UserError } from '../errors.js';
import { type Checkpoint, DamagedCheckpoint, readCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { noteLatest } from './latest-run.js';
import { RunLock } from './run-lock.js';

const extension = '.safetensors';
const pattern = /^epoch-(\d+)(?:-step-(\d+))?\.safetensors$/;
const ours = new Set(['checkpoints', 'config.json', 'output.log', 'lock']);

/** Files that name a checkpoint: the one to go on from, and the one with the best accuracy. */
export type Marker = 'last' | 'best';

/** A file of the folder `checkpoints/`. */
export interface CheckpointFile {
  readonly path: string;
  /** Epochs finished, and batches of the next. */
  readonly epoch: number;
  readonly step: number;
}

/**
 * The folder of one run: `checkpoints/`, `config.json`, `output.log`. Opened for reading it changes nothing;
 * `lock` makes it ready for a training.
 */
export class RunFolder {
  readonly path: string;
  readonly checkpoints: string;
  readonly log: string;
  /** Event files. */
  readonly tensorboard: string;
  #lock: RunLock | undefined;
  #begun = false;

  /** @throws UserError when the name cannot be that of a folder */
  constructor(options: { runDir?: string | undefined; project: string }) {
    const { runDir = 'runs', project } = options;
    if (!/^[^/\\\0]{1,200}$/.test(project) || /^\.+$/.test(project)) {
      throw new UserError(`the project cannot be named '${project}'`, {
        exitCode: exitCodes.usage,
        hint: 'It becomes the name of a folder: letters, digits, - and _ are fine.',
      });
    }
    this.path = join(runDir, project);
    this.checkpoints = join(this.path, 'checkpoints');
    this.log = join(this.path, 'output.log');
    this.tensorboard = join(this.path, 'tensorboard');
  }

  /**
   * Makes the folder and takes it for this process.
   * @throws UserError when it cannot be written, is in use, or holds something else
   */
  async lock(): Promise<void> {
    try {
      await makeFolder(this.path);
      const names = await readdir(this.path);
      if (names.length > 0 && !names.some((name) => ours.has(name))) {
        throw new UserError(`the folder ${this.path} holds something else: ${names[0]}`, {
          hint: 'Give another --project or --run-dir.',
        });
      }
      this.#lock = await RunLock.acquire(join(this.path, 'lock'), `the run ${this.path}`);
      await makeFolder(this.checkpoints);
      await this.#removeLeftovers();
    } catch (error) {
      await this.release();
      if (error instanceof UserError) throw error;
      throw new UserError(`cannot write the run folder ${this.path}: ${(error as Error).message}`, {
        hint: 'Give another --run-dir, or make room or permission there.',
        cause: error,
      });
    }
  }

  /** Gives the folder back; one in which nothing was written goes. */
  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
    // removes empty folders only
    for (const folder of [this.checkpoints, this.path]) await rmdir(folder).catch(() => {});
  }

  /** Whether this process has begun a training in it. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Writes the settings in force: the training begins. */
  async begin(config: TrainConfig): Promise<void> {
    this.#begun = true;
    await writeFileAtomic(join(this.path, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  /** Path of the checkpoint after `epoch` epochs and `step` batches of the next. */
  checkpointPath({ epoch, step }: { epoch: number; step: number }): string {
    const digits = (value: number, width: number): string => String(value).padStart(width, '0');
    const within = step > 0 ? `-step-${digits(step, 6)}` : '';
    return join(this.checkpoints, `epoch-${digits(epoch, 4)}${within}${extension}`);
  }

  /** Names one as the last or the best. */
  async mark(marker: Marker, path: string): Promise<void> {
    await writeFileAtomic(join(this.checkpoints, marker), `${basename(path)}\n`);
    // a convenience for other commands; a folder of runs that cannot be written stops no training
    if (marker === 'last') await noteLatest(this.path).catch(() => {});
  }

  /** Path of a marked checkpoint; undefined when nothing is marked. */
  async marked(marker: Marker): Promise<string | undefined> {
    const text = await readText(join(this.checkpoints, marker));
    const name = text?.split('\n', 1)[0]?.trim();
    return name && basename(name) === name ? join(this.checkpoints, name) : undefined;
  }

  /** Removes a marker. */
  async unmark(marker: Marker): Promise<void> {
    await unlink(join(this.checkpoints, marker)).catch(ignoreMissing);
    await syncFolder(this.checkpoints);
  }

  /** The run's checkpoint files, newest first: in the order of the training, whatever clocks and file times say. */
  async list(): Promise<CheckpointFile[]> {
    const names = await readdir(this.checkpoints).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names
      .map((name) => this.fileOf(join(this.checkpoints, name)))
      .filter((file) => file !== undefined)
      .sort((a, b) => byPosition(b, a));
  }

  /** What a checkpoint's name says; undefined for a name that this folder never gives. */
  fileOf(path: string): CheckpointFile | undefined {
    const match = pattern.exec(basename(path));
    const file = { path, epoch: Number(match?.[1]), step: Number(match?.[2] ?? 0) };
    return match && basename(this.checkpointPath(file)) === basename(path) ? file : undefined;
  }

  /**
   * Removes all checkpoints but the newest `keepLast` up to the one marked last, and the marked ones. What lies
   * beyond the last one belongs to another course of the run: it takes no place from these, and is left alone.
   */
  async prune(keepLast: number): Promise<void> {
    const [last, best] = [await this.marked('last'), await this.marked('best')];
    const files = upTo(last === undefined ? undefined : this.fileOf(last), await this.list());
    for (const { path } of files.slice(keepLast)) if (path !== last && path !== best) await unlink(path);
  }

  /**
   * The checkpoint to go on from: the one marked last, or where that is damaged or gone the one before, and so on.
   * @param options.onWarning told once when it is not the one marked last
   * @returns undefined when the run has none at all
   * @throws DamagedCheckpoint naming all of them, when there are some but none is whole
   */
  async lastCheckpoint(
    options: { onWarning?: (message: string) => void } = {},
  ): Promise<Checkpoint | undefined> {
    const marked = await this.marked('last');
    // one that is newer than the mark was written whole, but its epoch was not closed
    const files = upTo(marked === undefined ? undefined : this.fileOf(marked), await this.list());
    const faults = marked === undefined || files[0]?.path === marked ? [] : [`${marked} is gone`];
    for (const { path } of files) {
      try {
        const checkpoint = await readCheckpoint(path);
        if (faults.length > 0) options.onWarning?.(`${faults.join('; ')}; using ${path} instead`);
        return checkpoint;
      } catch (error) {
        if (!(error instanceof DamagedCheckpoint)) throw error;
        faults.push(error.message);
      }
    }
    if (faults.length === 0) return undefined;
    throw new DamagedCheckpoint(`no checkpoint of ${this.path} can be read: ${faults.join('; ')}`, {
      hint: 'Bring back the files from a copy, or start anew with another --project.',
    });
  }

  /**
   * Moves checkpoints out of the way, into a folder `checkpoints/replaced/NUMBER`.
   * @returns that folder
   */
  async setAside(paths: readonly string[]): Promise<string> {
    const replaced = join(this.checkpoints, 'replaced');
    await makeFolder(replaced);
    const numbers = (await readdir(replaced)).map(Number).filter(Number.isInteger);
    const folder = join(replaced, String(Math.max(0, ...numbers) + 1));
    await makeFolder(folder);
    for (const path of paths) await rename(path, join(folder, basename(path)));
    await syncFolder(folder);
    await syncFolder(this.checkpoints);
    return folder;
  }

  /** What a killed process left half written. */
  async #removeLeftovers(): Promise<void> {
    for (const folder of [this.path, this.checkpoints]) {
      for (const name of await readdir(folder)) {
        if (/^\..*\.[0-9a-f]{12}\.tmp$/.test(name)) await unlink(join(folder, name)).catch(() => {});
      }
    }
  }
}

type Place = Pick<CheckpointFile, 'epoch' | 'step'>;

/** Below 0 where `a` comes before `b` in a training. */
export function byPosition(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.step - b.step;
}

function upTo(end: Place | undefined, files: readonly CheckpointFile[]): readonly CheckpointFile[] {
  return end ? files.filter((file) => byPosition(file, end) <= 0) : files;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
