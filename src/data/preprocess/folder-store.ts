import { readFileSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { KeptJpeg } from './journal.js';
import type { OutputFolder } from './output-folder.js';
import type { PictureStore } from './picture-store.js';
import type { PictureTable } from './picture-table.js';

/** Keeps each JPEG as a file of its own in `train/` or `val/`, by the split as it is known at first. */
export class FolderStore implements PictureStore {
  readonly #folder: OutputFolder;
  readonly #table: PictureTable;

  constructor(folder: OutputFolder, table: PictureTable) {
    this.#folder = folder;
    this.#table = table;
  }

  #path(index: number, validation = this.#table.validation[index] === 1): string {
    return this.#folder.picture(validation, this.#table.name(index));
  }

  async put(index: number, jpeg: Uint8Array): Promise<number> {
    await writeFile(this.#path(index), jpeg);
    return 0;
  }

  async drop(index: number): Promise<void> {
    for (const validation of [true, false]) await rm(this.#path(index, validation), { force: true });
  }

  holds(index: number, { length }: KeptJpeg): boolean {
    return this.#place(index)?.size === length;
  }

  read(index: number): Buffer {
    return readFileSync(this.#place(index)?.path ?? this.#path(index));
  }

  /** An interrupted run may have moved it to the other split already. */
  #place(index: number): { path: string; size: number } | undefined {
    const first = this.#table.validation[index] === 1;
    for (const validation of [first, !first]) {
      const path = this.#path(index, validation);
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size !== undefined) return { path, size };
    }
    return undefined;
  }

  /** Moves a picture to the split that it is in by now; it may be there already. */
  async settle(index: number): Promise<void> {
    const validation = this.#table.validation[index] === 1;
    const { code } = await rename(this.#path(index, !validation), this.#path(index, validation)).then(
      () => ({ code: undefined }),
      (error: NodeJS.ErrnoException) => error,
    );
    if (code !== undefined && code !== 'ENOENT') {
      throw Object.assign(new Error(`cannot move ${this.#path(index)}: ${code}`), { code });
    }
  }

  async close(): Promise<void> {}
}
