import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../worker-entry.js';
import type { PictureSettings } from './options.js';
import type { PictureOutcome, PictureTask } from './thread.js';

/** Pictures handed to a thread ahead of time, so that it never waits for the main thread. */
const ahead = 4;

/** Milliseconds that threads are waited for after an abort; they may sit in the decoder of a huge picture. */
const patience = 300;

/**
 * Prepares pictures on several threads; `onOutcome` is called once for each, in no set order.
 * @throws what `onOutcome` throws, the signal's reason, or a thread's own error; the threads are stopped
 */
export async function preparePictures(options: {
  tasks: Iterable<PictureTask>;
  settings: PictureSettings;
  workers: number;
  signal: AbortSignal | undefined;
  onOutcome: (outcome: PictureOutcome) => void;
}): Promise<void> {
  const { settings, signal, onOutcome } = options;
  signal?.throwIfAborted();
  const tasks = options.tasks[Symbol.iterator]();
  const threads = Array.from(
    { length: options.workers },
    () => new Worker(workerEntry('data/preprocess/thread.js'), { workerData: settings }),
  );
  let stop: () => void = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => reject(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      let busy = 0;
      const send = (thread: Worker): void => {
        const next = tasks.next();
        if (next.done) return;
        busy++;
        thread.postMessage(next.value);
      };
      for (const thread of threads) {
        thread.on('error', reject);
        thread.on('exit', (code) => reject(new Error(`a picture thread ended early (exit code ${code})`)));
        thread.on('message', (outcome: PictureOutcome) => {
          busy--;
          try {
            onOutcome(outcome);
          } catch (error) {
            reject(error);
            return;
          }
          send(thread);
          if (busy === 0) resolve();
        });
      }
      for (let round = 0; round < ahead; round++) threads.forEach(send);
      if (busy === 0) resolve();
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    const ended = Promise.all(threads.map((thread) => thread.terminate()));
    if (signal?.aborted) await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, patience))]);
    else await ended;
  }
}
