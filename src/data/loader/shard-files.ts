import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes, indexName, shardName } from '../shards/shard-layout.js';
import { parseTarHeader, plainName } from '../shards/tar-headers.js';
import { PictureRejection } from '../transforms/picture.js';
import type { Split } from './job.js';

/** Shards that a thread keeps open; a new one closes the one that was not used for longest. */
const mostOpen = 64;

/** The open shards of one split, for reading at any place. */
export class ShardFiles {
  readonly #folder: string;
  readonly #split: Split;
  readonly #open = new Map<number, number>();

  constructor(folder: string, split: Split) {
    this.#folder = folder;
    this.#split = split;
  }

  name(shard: number): string {
    return shardName(this.#split, shard);
  }

  /** @returns the bytes read, fewer than asked for at the end of the file; throws the system's error */
  read(shard: number, bytes: Buffer, length: number, offset: number): number {
    const file = this.#file(shard);
    let done = 0;
    while (done < length) {
      const read = readSync(file, bytes, done, length - done, offset + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #file(shard: number): number {
    const known = this.#open.get(shard);
    // last in the map is the one used last
    if (known !== undefined) this.#open.delete(shard);
    const file = known ?? openSync(join(this.#folder, this.name(shard)), 'r');
    this.#open.set(shard, file);
    if (this.#open.size > mostOpen) {
      const [oldest] = this.#open;
      if (oldest) {
        this.#open.delete(oldest[0]);
        closeSync(oldest[1]);
      }
    }
    return file;
  }
}

/**
 * Checks that the header before a picture is its own: an index of another tar would give wrong labels.
 * @param block the block before the picture's first byte
 * @param name of the picture in the tar
 * @throws PictureRejection when it is not
 */
export function checkHeader(block: Buffer, wanted: { name: string; length: number; shard: string }): void {
  const { name, length, shard } = wanted;
  const header = parseTarHeader(block);
  if (header && header !== 'end' && header.length === length && plainName(header.name) === name) return;
  throw new PictureRejection(`is not where the index says; delete ${indexName(shard)} to have it made anew`);
}

/** Bytes of the header before a picture. */
export const headerBytes = blockBytes;
