import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

import type { JournalRecord, SourceStamp } from './journal.js';
import type { PictureSettings } from './options.js';
import type { PictureStore } from './picture-store.js';
import { PicturePreparer, type PreparedPicture } from './prepare-picture.js';
import { Rejection, readingReason } from './rejection.js';

/** One picture to prepare; `index` comes back with the outcome. */
export interface PictureTask {
  readonly index: number;
  readonly source: string;
}

/** What became of a picture. */
export type PictureOutcome =
  | JournalRecord
  /** The output cannot be written: the run has to stop. */
  | { readonly kind: 'outputFault'; readonly index: number; readonly code: string; readonly message: string };

/**
 * Prepares pictures, `workers` of them at the same time; `onOutcome` is called once for each, in no set order.
 * No worker threads of ours: sharp works in Node's own thread pool, and what is left for this thread is little.
 * @throws what `onOutcome` throws, or the signal's reason; nothing is read or written any more by then
 */
export async function prepareAll(options: {
  tasks: Generator<PictureTask>;
  store: PictureStore;
  settings: PictureSettings;
  workers: number;
  signal: AbortSignal | undefined;
  onOutcome: (outcome: PictureOutcome) => void;
}): Promise<void> {
  const { tasks, store, settings, workers, signal, onOutcome } = options;
  const preparer = new PicturePreparer(settings);
  const work = async (): Promise<void> => {
    // leaving the loop early, also by an error, closes the generator and so ends the other workers
    for (const task of tasks) {
      if (signal?.aborted) return;
      onOutcome(await prepareFile(preparer, store, task));
    }
  };
  const threadsBefore = sharp.concurrency();
  // pictures are what runs in parallel, not the inside of one
  sharp.concurrency(1);
  const running = Array.from({ length: workers }, work);
  await Promise.allSettled(running);
  sharp.concurrency(threadsBefore);
  await Promise.all(running);
  signal?.throwIfAborted();
}

async function prepareFile(
  preparer: PicturePreparer,
  store: PictureStore,
  { index, source }: PictureTask,
): Promise<PictureOutcome> {
  let stamp: SourceStamp | undefined;
  let picture: PreparedPicture | Rejection;
  try {
    const file = await read(source);
    stamp = file.stamp;
    picture = await preparer.prepare(file.bytes);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    picture = error;
  }
  try {
    if (picture instanceof Rejection) {
      // an interrupted run may have written it when the file was another
      await store.drop(index);
      return { kind: 'rejected', index, stamp, reason: picture.message };
    }
    const { jpeg, width, height, sums } = picture;
    const offset = await store.put(index, jpeg);
    const kept = { length: jpeg.length, crc: crc32(jpeg), offset };
    return { kind: 'written', index, stamp: stamp as SourceStamp, width, height, sums, ...kept };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { kind: 'outputFault', index, code, message };
  }
}

async function read(path: string): Promise<{ bytes: Buffer; stamp: SourceStamp }> {
  try {
    const file = await open(path, 'r');
    try {
      const { size, mtimeMs } = await file.stat();
      return { bytes: await file.readFile(), stamp: { size, changed: mtimeMs } };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Rejection(readingReason(path, error), { cause: error });
  }
}
