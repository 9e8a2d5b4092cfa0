import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { memory } from '../../../system/memory.js';
import type { Dataset } from '../../dataset.js';
import { makeFolder } from '../../make-folder.js';
import { type CacheShare, cached, createTables, type DiskPlace } from './cache-share.js';
import { entryBytes, readEntry } from './disk-store.js';

/** What a loader is told of its cache. */
export type CacheOptions = {
  /** Most bytes of pixels. */
  readonly bytes: number;
} & (
  | { readonly kind: 'ram' }
  /** `identity` says which pictures they are: a file of others is begun anew. */
  | { readonly kind: 'disk'; readonly path: string; readonly identity: string }
);

const largestSlab = 2 ** 27;
const headerBytes = 4096;
const formatName = 'resnode decoded pictures 1';

/**
 * Makes the memory or the file of a cache ready.
 * @param pictures of all splits
 * @returns undefined, after a warning, when that cannot be: the training goes on without
 */
export async function openCache(
  options: CacheOptions,
  pictures: number,
  onWarning: (message: string) => void,
): Promise<CacheShare | undefined> {
  try {
    return options.kind === 'ram'
      ? inMemory(options.bytes, { pictures, onWarning })
      : await onDisk(options, pictures);
  } catch (error) {
    onWarning(`decoded pictures are not kept: ${(error as Error).message}`);
    return undefined;
  }
}

function inMemory(
  wanted: number,
  { pictures, onWarning }: { pictures: number; onWarning: (message: string) => void },
): CacheShare {
  // the pages come as pictures do: what is too much would end the process long after the start
  const room = Math.max(1, Math.floor(memory().available / 2));
  const limit = Math.min(wanted, room);
  if (limit < wanted) {
    onWarning(
      `the cache of pictures takes at most ${gigabytes(limit)}, half of the memory that is free, and not ${gigabytes(wanted)}`,
    );
  }
  const slabBytes = Math.min(limit, largestSlab);
  // the system gives a page of it when it is first written to
  const slabs = Array.from(
    { length: Math.ceil(limit / slabBytes) },
    (_, at) => new SharedArrayBuffer(Math.min(slabBytes, limit - at * slabBytes)),
  );
  return { ...createTables(pictures), limit, place: { kind: 'ram', slabs, slabBytes } };
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(2))} GB`;
}

async function onDisk(
  { path, identity, bytes }: CacheOptions & { kind: 'disk' },
  pictures: number,
): Promise<CacheShare> {
  await makeFolder(dirname(path));
  const place: DiskPlace = { kind: 'disk', path, table: headerBytes };
  const dataStart = headerBytes + Math.ceil((pictures * entryBytes) / headerBytes) * headerBytes;
  const share = { ...createTables(pictures), limit: dataStart + bytes, place };
  const header = Buffer.alloc(headerBytes);
  header.write(`${formatName}\n${identity}\n${pictures}\n`);
  const file = openSync(path, 'a+');
  closeSync(file);
  const opened = openSync(path, 'r+');
  try {
    let taken = dataStart;
    if (readAt(opened, headerBytes, 0).equals(header)) {
      taken = takeOver(share, { opened, dataStart, pictures });
    } else {
      ftruncateSync(opened, 0);
      ftruncateSync(opened, dataStart);
      writeSync(opened, header, 0, headerBytes, 0);
    }
    new BigInt64Array(share.control, 0, 1)[0] = BigInt(taken);
  } finally {
    closeSync(opened);
  }
  return share;
}

/** Takes what the table says; pixels are checked when they are read. @returns where the next picture may lie */
function takeOver(
  share: CacheShare,
  { opened, dataStart, pictures }: { opened: number; dataStart: number; pictures: number },
): number {
  const { size } = fstatSync(opened);
  const table = readAt(opened, pictures * entryBytes, headerBytes);
  const views = {
    states: new Int32Array(share.states),
    sizes: new Int32Array(share.sizes),
    offsets: new Float64Array(share.offsets),
    checksums: new Int32Array(share.checksums),
  };
  let taken = dataStart;
  for (let index = 0; (index + 1) * entryBytes <= table.length; index++) {
    const entry = readEntry(table, index);
    const end = entry ? entry.offset + 3 * entry.height * entry.width : 0;
    if (!entry || entry.offset < dataStart || end > size) continue;
    views.sizes.set([entry.height, entry.width], 2 * index);
    views.offsets[index] = entry.offset;
    views.checksums[index] = entry.checksum;
    views.states[index] = cached.yes;
    taken = Math.max(taken, end);
  }
  return taken;
}

function readAt(file: number, length: number, position: number): Buffer {
  const bytes = Buffer.alloc(length);
  const read = readSync(file, bytes, 0, length, position);
  return bytes.subarray(0, read);
}

/** Tells the pictures of one preparation from those of another one under the same names. */
export async function identityOf({ folder, fingerprint }: Dataset): Promise<string> {
  // mean and deviation are in it, and with them something of every pixel
  const description = await readFile(join(folder, 'dataset.json'));
  return createHash('sha256').update(fingerprint).update(description).digest('hex');
}
