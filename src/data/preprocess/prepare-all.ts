import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { PictureSettings } from './options.js';
import { PicturePreparer, type PreparedPicture } from './prepare-picture.js';
import { Rejection, readingReason } from './rejection.js';

/** One picture to prepare; `index` comes back with the outcome. */
export interface PictureTask {
  readonly index: number;
  readonly source: string;
  readonly target: string;
}

/** What became of a picture. */
export type PictureOutcome =
  | ({ readonly kind: 'written'; readonly index: number } & Omit<PreparedPicture, 'jpeg'>)
  | { readonly kind: 'rejected'; readonly index: number; readonly reason: string }
  /** The output cannot be written: the run has to stop. */
  | { readonly kind: 'outputFault'; readonly index: number; readonly code: string; readonly message: string };

/**
 * Prepares pictures, `workers` of them at the same time; `onOutcome` is called once for each, in no set order.
 * No worker threads of ours: sharp works in Node's own thread pool, and what is left for this thread is little.
 * @throws what `onOutcome` throws, or the signal's reason; nothing is read or written any more by then
 */
export async function prepareAll(options: {
  tasks: Generator<PictureTask>;
  settings: PictureSettings;
  workers: number;
  signal: AbortSignal | undefined;
  onOutcome: (outcome: PictureOutcome) => void;
}): Promise<void> {
  const { tasks, settings, workers, signal, onOutcome } = options;
  const preparer = new PicturePreparer(settings);
  const work = async (): Promise<void> => {
    // leaving the loop early, also by an error, closes the generator and so ends the other workers
    for (const task of tasks) {
      if (signal?.aborted) return;
      const outcome = await prepareFile(preparer, task);
      if (!signal?.aborted) onOutcome(outcome);
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

async function prepareFile(preparer: PicturePreparer, task: PictureTask): Promise<PictureOutcome> {
  const { index, source, target } = task;
  let picture: PreparedPicture;
  try {
    picture = await preparer.prepare(await read(source));
  } catch (error) {
    if (error instanceof Rejection) return { kind: 'rejected', index, reason: error.message };
    throw error;
  }
  const { jpeg, ...counted } = picture;
  try {
    await writeFile(target, jpeg);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { kind: 'outputFault', index, code, message };
  }
  return { kind: 'written', index, ...counted };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Rejection(readingReason(path, error), { cause: error });
  }
}
