import { readdir, readFile, rmdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../data/atomic-write.js';
import { makeFolder } from '../data/make-folder.js';
import { exitCodes, UserError } from '../errors.js';
import { type Checkpoint, DamagedCheckpoint, readCheckpoint } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { RunLock } from './run-lock.js';

const extension = '.safetensors';
const ours = new Set(['checkpoints', 'config.json', 'output.log', 'lock']);

/** Files that name a checkpoint: the one to go on from, and the one with the best accuracy. */
export type Marker = 'last' | 'best';

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

  /** Epochs finished and batches of the next, as {@link checkpointPath} put them into the name. */
  positionOf(path: string): { epoch: number; step: number } {
    const [, epoch = '', step = ''] = /^epoch-(\d+)(?:-step-(\d+))?/.exec(basename(path)) ?? [];
    return { epoch: Number(epoch), step: Number(step) };
  }

  /** Names one as the last or the best. */
  async mark(marker: Marker, path: string): Promise<void> {
    await writeFileAtomic(join(this.checkpoints, marker), `${basename(path)}\n`);
  }

  /** Path of a marked checkpoint; undefined when nothing is marked. */
  async marked(marker: Marker): Promise<string | undefined> {
    const text = await readText(join(this.checkpoints, marker));
    const name = text?.split('\n', 1)[0]?.trim();
    return name && basename(name) === name ? join(this.checkpoints, name) : undefined;
  }

  /** Removes all checkpoints but the newest `keepLast` and the marked ones. */
  async prune(keepLast: number): Promise<void> {
    const kept = new Set([await this.marked('last'), await this.marked('best')]);
    const paths = await this.#list();
    for (const path of paths.slice(keepLast)) if (!kept.has(path)) await unlink(path);
  }

  /**
   * The checkpoint to go on from: the one marked last, or where that is damaged the one before, and so on.
   * @param options.onDamaged told of each one that was passed over
   * @returns undefined when the run has none at all
   * @throws DamagedCheckpoint when there are some, but all are damaged
   */
  async lastCheckpoint(
    options: { onDamaged?: (message: string) => void } = {},
  ): Promise<Checkpoint | undefined> {
    const marked = await this.marked('last');
    const listed = await this.#list();
    // one that is newer than the mark was written whole, but its epoch was not closed
    const candidates = marked && listed.includes(marked) ? listed.slice(listed.indexOf(marked)) : listed;
    let damage: DamagedCheckpoint | undefined;
    for (const path of candidates) {
      try {
        return await readCheckpoint(path);
      } catch (error) {
        if (!(error instanceof DamagedCheckpoint)) throw error;
        options.onDamaged?.(error.message);
        damage ??= error;
      }
    }
    if (damage) {
      throw new DamagedCheckpoint(
        `no checkpoint of ${this.path} can be read; the last one: ${damage.message}`,
        {
          hint: 'Bring back the files from a copy, or start anew with another --project.',
        },
      );
    }
    return undefined;
  }

  /** Newest first. */
  async #list(): Promise<string[]> {
    const names = await readdir(this.checkpoints).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    // '-' comes before '.', so the extension would put an epoch's end after the batches that follow it
    const stem = (name: string): string => name.slice(0, -extension.length);
    return names
      .filter((name) => name.endsWith(extension) && !name.startsWith('.'))
      .sort((a, b) => (stem(a) < stem(b) ? 1 : -1))
      .map((name) => join(this.checkpoints, name));
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

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
