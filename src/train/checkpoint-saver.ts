import { writeFileAtomic } from '../data/atomic-write.js';
import type { RunFolder } from './run-folder.js';

export interface CheckpointSaverOptions {
  readonly folder: RunFolder;
  /** Checkpoints to keep beside the best. */
  readonly keepLast: number;
  readonly onSaved: (saved: { path: string; best: boolean }) => void;
  readonly onFailed: (path: string, error: Error) => void;
}

/** Writes checkpoints one after the other while the training goes on. */
export class CheckpointSaver {
  readonly #options: CheckpointSaverOptions;
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(options: CheckpointSaverOptions) {
    this.#options = options;
  }

  /** Begins to write; the file counts as the last one when it is whole. */
  save(checkpoint: { bytes: Uint8Array; path: string; best: boolean }): void {
    this.#writing = this.#writing.then(() => this.#write(checkpoint));
  }

  /**
   * Resolves when all is written.
   * @returns why the newest checkpoint could not be; undefined when it lies there
   */
  async settle(): Promise<Error | undefined> {
    await this.#writing;
    return this.#failure;
  }

  async #write({ bytes, path, best }: { bytes: Uint8Array; path: string; best: boolean }): Promise<void> {
    const { folder, keepLast, onSaved, onFailed } = this.#options;
    try {
      await writeFileAtomic(path, bytes);
      // the best first: what is marked last may be all that a later run looks at
      if (best) await folder.mark('best', path);
      await folder.mark('last', path);
      this.#failure = undefined;
      onSaved({ path, best });
      await folder.prune(keepLast);
    } catch (error) {
      this.#failure = error as Error;
      onFailed(path, this.#failure);
    }
  }
}
