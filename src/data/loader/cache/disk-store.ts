import { openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { DiskPlace } from './cache-share.js';
import type { CacheEntry, PixelStore } from './pixel-store.js';

/** Bytes of a picture's line in the table: offset, height, width, checksum, nothing. */
export const entryBytes = 24;

/**
 * Pixels in a file. The line of a picture in the table is written after its pixels, and its checksum covers both:
 * whatever a kill or a power cut leaves half written is not taken for a picture.
 */
export class DiskStore implements PixelStore {
  readonly #file: number;
  readonly #table: number;
  readonly #line = Buffer.alloc(entryBytes);

  /** Open until the thread ends. */
  constructor({ path, table }: DiskPlace) {
    this.#file = openSync(path, 'r+');
    this.#table = table;
  }

  placeFrom(from: number): number {
    return from;
  }

  write(entry: CacheEntry, pixels: Buffer): number {
    for (let done = 0; done < pixels.length; ) {
      done += writeSync(this.#file, pixels, done, pixels.length - done, entry.offset + done);
    }
    const checksum = checksumOf(entry, pixels);
    writeEntry(this.#line, { ...entry, checksum });
    writeSync(this.#file, this.#line, 0, entryBytes, this.#table + entry.index * entryBytes);
    return checksum;
  }

  read(entry: CacheEntry & { checksum: number }, pixels: Buffer): boolean {
    try {
      for (let done = 0; done < pixels.length; ) {
        const read = readSync(this.#file, pixels, done, pixels.length - done, entry.offset + done);
        if (read === 0) return false;
        done += read;
      }
    } catch {
      return false;
    }
    return checksumOf(entry, pixels) === entry.checksum;
  }
}

function checksumOf({ index, height, width, offset }: CacheEntry, pixels: Buffer): number {
  return crc32(pixels, crc32(`${index} ${height} ${width} ${offset}`)) | 0;
}

function writeEntry(line: Buffer, entry: Omit<CacheEntry, 'index'> & { checksum: number }): void {
  line.writeDoubleLE(entry.offset, 0);
  line.writeUInt32LE(entry.height, 8);
  line.writeUInt32LE(entry.width, 12);
  line.writeInt32LE(entry.checksum, 16);
}

/** The line of a picture; undefined when there is none. */
export function readEntry(
  table: Buffer,
  index: number,
): (Omit<CacheEntry, 'index'> & { checksum: number }) | undefined {
  const line = table.subarray(index * entryBytes, (index + 1) * entryBytes);
  const offset = line.readDoubleLE(0);
  const [height, width] = [line.readUInt32LE(8), line.readUInt32LE(12)];
  if (!Number.isSafeInteger(offset) || offset <= 0 || height === 0 || width === 0) return undefined;
  return { offset, height, width, checksum: line.readInt32LE(16) };
}
