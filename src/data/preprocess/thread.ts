import { readFileSync, writeFileSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
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
  | {
      readonly kind: 'written';
      readonly index: number;
      readonly width: number;
      readonly height: number;
      readonly sums: number[] | undefined;
    }
  | { readonly kind: 'rejected'; readonly index: number; readonly reason: string }
  /** The output cannot be written: the run has to stop. */
  | { readonly kind: 'outputFault'; readonly index: number; readonly code: string; readonly message: string };

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Rejection(readingReason(path, error), { cause: error });
  }
}

async function handle(preparer: PicturePreparer, task: PictureTask): Promise<PictureOutcome> {
  const { index } = task;
  let picture: PreparedPicture;
  try {
    picture = await preparer.prepare(read(task.source));
  } catch (error) {
    if (error instanceof Rejection) return { kind: 'rejected', index, reason: error.message };
    throw error;
  }
  try {
    writeFileSync(task.target, picture.jpeg);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { kind: 'outputFault', index, code, message };
  }
  const { width, height, sums } = picture;
  return { kind: 'written', index, width, height, sums };
}

/** What a thread is started with. */
export interface ThreadData {
  readonly settings: PictureSettings;
  /** Not 0 once the run is over: pictures that still wait are passed over. */
  readonly over: Int32Array;
}

/** Works on the pictures one after the other, in the order in which they were sent, until `end`. */
function serve(port: MessagePort, { settings, over }: ThreadData): void {
  // the pictures are what runs in parallel, not the inside of one
  sharp.concurrency(1);
  sharp.cache(false);
  const preparer = new PicturePreparer(settings);
  let last: Promise<void> = Promise.resolve();
  port.on('message', (message: PictureTask | 'end') => {
    last = last.then(async () => {
      if (message === 'end') port.close();
      else if (Atomics.load(over, 0) === 0) port.postMessage(await handle(preparer, message));
    });
  });
}

if (parentPort) serve(parentPort, workerData as ThreadData);
