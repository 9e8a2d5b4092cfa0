import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { syncFolder, writeFileAtomic } from '../atomic-write.js';
import { formatShardIndex } from './shard-index.js';
import { indexName, type ShardSample } from './shard-layout.js';

/** The same for every entry, so that the same pictures give the same bytes. */
const entryHeader = { mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };

/**
 * Writes a WebDataset shard (`KEY.jpg` and `KEY.cls` for each sample) and its index, each in one step: a file
 * of that name is a whole one.
 * @param read the JPEG of the sample at a position
 * @throws the file system's error; nothing is left then
 */
export async function writeShard(
  path: string,
  samples: readonly ShardSample[],
  read: (position: number) => Buffer,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const tar = pack();
  const written = pipeline(tar, createWriteStream(temporary, { flags: 'wx', flush: true }));
  const filled = fill(tar, samples, read).catch((error: Error) => {
    tar.destroy(error);
    throw error;
  });
  try {
    // the file's own error is the cause, what the tar says then its consequence
    for (const end of await Promise.allSettled([written, filled])) {
      if (end.status === 'rejected') throw end.reason;
    }
    await writeFileAtomic(indexName(path), formatShardIndex(samples));
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

async function fill(
  tar: ReturnType<typeof pack>,
  samples: readonly ShardSample[],
  read: (position: number) => Buffer,
): Promise<void> {
  for (const [position, { key, label }] of samples.entries()) {
    await add(tar, `${key}.jpg`, read(position));
    await add(tar, `${key}.cls`, Buffer.from(String(label)));
  }
  tar.finalize();
}

/** Resolves when there is room for the next entry. */
function add(tar: ReturnType<typeof pack>, name: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry({ ...entryHeader, name }, bytes, (error) => (error ? reject(error) : resolve()));
  });
}
