/**
 * The cache of decoded pictures as plain data that every loader thread gets; buffers are shared, not copied.
 * A picture is kept at its first decoding as long as there is room, and never thrown out again: which ones are
 * there stays the same from then on, and a data set twice the size of the cache still reads half of it from there.
 */
export interface CacheShare {
  /** Int32 a picture: one of `cached`. */
  readonly states: SharedArrayBuffer;
  /** Int32 height and width of each picture. */
  readonly sizes: SharedArrayBuffer;
  /** Float64 a picture: where its pixels begin. */
  readonly offsets: SharedArrayBuffer;
  /** Int32 a picture: checksum of its entry and pixels, on a disk. */
  readonly checksums: SharedArrayBuffer;
  /** BigInt64: bytes that are taken; Int32 at byte 8: 1 when nothing more is to be kept. */
  readonly control: SharedArrayBuffer;
  /** Bytes that may be taken. */
  readonly limit: number;
  readonly place: MemoryPlace | DiskPlace;
}

/** Pieces of memory; a picture lies in one of them whole. */
export interface MemoryPlace {
  readonly kind: 'ram';
  readonly slabs: readonly SharedArrayBuffer[];
  /** Bytes of each but the last. */
  readonly slabBytes: number;
}

/** A file with a table in front of the pixels. */
export interface DiskPlace {
  readonly kind: 'disk';
  readonly path: string;
  /** Where the table begins. */
  readonly table: number;
}

/** What is known of a picture in the cache. */
export const cached = {
  no: 0,
  /** A thread is writing it. */
  writing: 1,
  yes: 2,
  /** What was written could not be read back. */
  lost: 3,
} as const;

/** The shared tables for so many pictures, none of which is there. */
export function createTables(pictures: number): Omit<CacheShare, 'limit' | 'place'> {
  return {
    states: new SharedArrayBuffer(4 * pictures),
    sizes: new SharedArrayBuffer(8 * pictures),
    offsets: new SharedArrayBuffer(8 * pictures),
    checksums: new SharedArrayBuffer(4 * pictures),
    control: new SharedArrayBuffer(16),
  };
}
