import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../worker-entry.js';
import type { PictureSettings } from './options.js';
import type { PictureOutcome, PictureTask, ThreadData } from './thread.js';

/** Pictures handed to a thread ahead of time, so that it never waits for the main thread. */
const ahead = 4;

/**
 * Prepares pictures on several threads; `onOutcome` is called once for each, in no set order.
 * @throws what `onOutcome` throws, the signal's reason, or a thread's own error; the threads have ended then,
 *   each after the picture that it was at
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
  const over = new Int32Array(new SharedArrayBuffer(4));
  const workerData: ThreadData = { settings, over };
  // flags such as --input-type, which a program may be run with, are not for threads
  const threads = Array.from(
    { length: options.workers },
    () => new Worker(workerEntry('data/preprocess/thread.js'), { workerData, execArgv: [] }),
  );
  const ended = threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve)));
  let stop: () => void = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => {
        Atomics.store(over, 0, 1);
        reject(signal?.reason);
      };
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
          if (Atomics.load(over, 0) !== 0) return;
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
    // asked to end, not terminated: a thread that is cut off inside a codec takes the process with it
    Atomics.store(over, 0, 1);
    for (const thread of threads) thread.postMessage('end');
    await Promise.all(ended);
  }
}
