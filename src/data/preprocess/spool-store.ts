import { fstatSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptJpeg } from './journal.js';
import type { PictureStore } from './picture-store.js';
import type { PictureTable } from './picture-table.js';
import { drawBytes } from './split.js';

/** Folder of the spool in an unfinished output. */
export const spoolFolder = 'spool';
/** Files of the spool: the pictures whose names begin with the same two hexadecimal digits lie in one. */
export const spoolFiles = 256;

export const spoolFileName = (bucket: number): string => `${bucket.toString(16).padStart(2, '0')}.bin`;

/**
 * Keeps the JPEGs one after the other in files by the first byte of their names. Shards are in the order of
 * names, so each is made from few of these files, read from front to end: no disk has to seek through all.
 */
export class SpoolStore implements PictureStore {
  readonly #folder: string;
  readonly #table: PictureTable;
  readonly #files = new Map<number, FileHandle>();
  readonly #ends = new Float64Array(spoolFiles);

  private constructor(folder: string, table: PictureTable) {
    this.#folder = folder;
    this.#table = table;
  }

  /** @param out the dataset's folder */
  static async open(out: string, table: PictureTable): Promise<SpoolStore> {
    const folder = join(out, spoolFolder);
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const store = new SpoolStore(folder, table);
    const there = new Set(await readdir(folder));
    try {
      for (let bucket = 0; bucket < spoolFiles; bucket++) {
        const name = spoolFileName(bucket);
        if (!there.has(name)) continue;
        const file = await open(join(folder, name), 'r+');
        store.#files.set(bucket, file);
        store.#ends[bucket] = (await file.stat()).size;
      }
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** File that a picture is in. */
  bucket(index: number): number {
    return this.#table.draws[index * drawBytes] as number;
  }

  async put(index: number, jpeg: Uint8Array): Promise<number> {
    const bucket = this.bucket(index);
    const offset = this.#ends[bucket] as number;
    this.#ends[bucket] = offset + jpeg.length;
    const file = this.#files.get(bucket) ?? (await this.#create(bucket));
    for (let written = 0; written < jpeg.length; ) {
      const part = await file.write(jpeg, written, jpeg.length - written, offset + written);
      written += part.bytesWritten;
    }
    return offset;
  }

  readonly #creating = new Map<number, Promise<FileHandle>>();

  /** Two pictures may want the same new file at the same time. */
  #create(bucket: number): Promise<FileHandle> {
    const begun = this.#creating.get(bucket);
    if (begun) return begun;
    const opening = open(join(this.#folder, spoolFileName(bucket)), 'w+').then((file) => {
      this.#files.set(bucket, file);
      return file;
    });
    this.#creating.set(bucket, opening);
    return opening;
  }

  async drop(): Promise<void> {}

  holds(index: number, { offset, length }: KeptJpeg): boolean {
    const file = this.#files.get(this.bucket(index));
    return file !== undefined && fstatSync(file.fd).size >= offset + length;
  }

  read(index: number, { offset, length }: KeptJpeg): Buffer {
    const file = this.#files.get(this.bucket(index));
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (file && done < length) {
      const read = readSync(file.fd, bytes, done, length - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  }

  /** Makes durable what was kept. */
  async sync(): Promise<void> {
    for (const file of this.#files.values()) await file.sync();
  }

  /** Gives the room of a file back whose pictures all lie in finished shards. */
  async release(bucket: number): Promise<void> {
    const file = this.#files.get(bucket);
    if (!file) return;
    this.#files.delete(bucket);
    await file.close();
    await unlink(join(this.#folder, spoolFileName(bucket)));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#creating.values());
    await Promise.all([...this.#files.values()].map((file) => file.close()));
    this.#files.clear();
  }
}
