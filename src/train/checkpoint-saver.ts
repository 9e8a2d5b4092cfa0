import { unlink } from 'node:fs/promises';
import { writeFileAtomic } from '../data/atomic-write.js';
import { addChecksum } from '../interop/safetensors.js';
import type { RunFolder } from './run-folder.js';

/** Where a checkpoint stands in its run. */
export interface SavedPosition {
  /** Epochs finished, and batches of the next. */
  readonly epoch: number;
  readonly step: number;
  /** Batches of the whole run. */
  readonly globalStep: number;
}

/** A checkpoint that lies on the disk, named by its marker. */
export interface SavedCheckpoint extends SavedPosition {
  readonly path: string;
  /** Whether it is the one marked as the best. */
  readonly best: boolean;
}

export interface CheckpointSaverOptions {
  readonly folder: RunFolder;
  /** Checkpoints to keep beside the best. */
  readonly keepLast: number;
  /** Accuracy of the checkpoint that is marked as the best; undefined where none is. */
  readonly bestAccuracy?: number | undefined;
  /** Told when file and markers are durable. */
  readonly onSaved: (saved: SavedCheckpoint) => void;
  readonly onFailed: (path: string, error: Error) => void;
  readonly onWarning?: (message: string) => void;
  /** How a file is written; for tests. */
  readonly write?: (path: string, bytes: Uint8Array) => Promise<void>;
}

export interface SaveRequest {
  /** The file without its checksum; the saver's own from here on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly position: SavedPosition;
  /** Of the epoch that ended here; undefined within an epoch. */
  readonly accuracy?: number | undefined;
}

/**
 * Writes checkpoints one after the other while the training goes on. A checkpoint that cannot be written
 * changes nothing: the files of before stay, and the next one is tried anew.
 */
export class CheckpointSaver {
  readonly #options: CheckpointSaverOptions;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #failure: Error | undefined;
  #saved: SavedPosition | undefined;
  #bestAccuracy: number | undefined;
  #memory: ArrayBuffer | undefined;

  constructor(options: CheckpointSaverOptions) {
    this.#options = options;
    this.#bestAccuracy = options.bestAccuracy;
  }

  /** Whether one is being written. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The newest one that this saver got onto the disk. */
  get saved(): SavedPosition | undefined {
    return this.#saved;
  }

  /** Memory of the last checkpoint, for the next; given away once. */
  takeMemory(): ArrayBuffer | undefined {
    const memory = this.#memory;
    this.#memory = undefined;
    return memory;
  }

  /** Begins to write; the file counts as the last one when it is whole. */
  save(request: SaveRequest): void {
    this.#busy = true;
    this.#writing = this.#writing.then(() => this.#write(request));
  }

  /**
   * Resolves when all is written.
   * @returns why the newest checkpoint could not be; undefined when it lies there
   */
  async settle(): Promise<Error | undefined> {
    await this.#writing;
    return this.#failure;
  }

  async #write({ bytes, position, accuracy }: SaveRequest): Promise<void> {
    const { folder, onSaved, onFailed } = this.#options;
    const path = folder.checkpointPath(position);
    const best =
      accuracy !== undefined && (this.#bestAccuracy === undefined || accuracy > this.#bestAccuracy);
    try {
      await addChecksum(bytes);
      await this.#place(path, bytes, best);
      if (best) this.#bestAccuracy = accuracy;
      this.#failure = undefined;
      this.#saved = position;
      onSaved({ ...position, path, best });
    } catch (error) {
      this.#failure = error as Error;
      onFailed(path, this.#failure);
    }
    this.#memory = bytes.buffer;
    if (!this.#failure) await this.#prune();
    this.#busy = false;
  }

  async #place(path: string, bytes: Uint8Array, best: boolean): Promise<void> {
    const { folder, write = writeFileAtomic } = this.#options;
    await write(path, bytes);
    // the best first: what is marked last may be all that a later run looks at
    if (best) await markOrRemove(folder, 'best', path);
    await (best ? folder.mark('last', path) : markOrRemove(folder, 'last', path));
  }

  async #prune(): Promise<void> {
    const { folder, keepLast, onWarning } = this.#options;
    try {
      await folder.prune(keepLast);
    } catch (error) {
      onWarning?.(`cannot remove an old checkpoint: ${(error as Error).message}`);
    }
  }
}

/** A file that nothing names would only take the room that the next one needs. */
async function markOrRemove(folder: RunFolder, marker: 'last' | 'best', path: string): Promise<void> {
  try {
    await folder.mark(marker, path);
  } catch (error) {
    const named = [await folder.marked('last'), await folder.marked('best')].includes(path);
    if (!named) await unlink(path).catch(() => {});
    throw error;
  }
}
