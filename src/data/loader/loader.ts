import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../errors.js';
import { workerEntry } from '../../worker-entry.js';
import type { CacheShare } from './cache/cache-share.js';
import { openCache } from './cache/open-cache.js';
import { type Job, type JobRequest, planJob } from './job.js';
import { type LoaderOptions, type ResolvedLoaderOptions, resolveLoaderOptions } from './options.js';
import { type BatchRing, closeRing, controlOf, createRing, effortOf, failRing, word } from './ring.js';
import { packSamples } from './sample-table.js';
import type { ThreadData, ThreadMessage } from './thread.js';

/** A picture that could not be used, and why. */
export interface RejectedPicture {
  /** Path below the dataset's folder. */
  readonly file: string;
  readonly reason: string;
}

export interface LoaderEvents {
  /** A picture could not be used; once for each file. */
  rejected: [RejectedPicture];
  /** A thread has died; no more batches will come. */
  failed: [Error];
}

/** What was queued. */
export interface QueuedJob {
  readonly job: number;
  readonly batches: number;
  readonly images: number;
}

/**
 * Loads batches in threads of its own, into shared memory. The thread that trains takes them with a
 * `BatchReader` made from `ring`; this side only says what to load, and never blocks.
 * @example
 * const loader = await Loader.start({ ...options, batchSize: 64, height: 112, width: 112, seed: 0 });
 * loader.enqueue({ split: 'train', epoch: 0 });
 * loader.enqueue({ split: 'val', epoch: 0 });
 * engineThread.postMessage(loader.ring);
 */
export class Loader extends EventEmitter<LoaderEvents> {
  /** To be posted to the thread that takes the batches. */
  readonly ring: BatchRing;
  readonly #options: ResolvedLoaderOptions;
  readonly #data: ThreadData;
  readonly #threads: Worker[] = [];
  /** All so far: a thread counts them from the first one on. */
  readonly #queued: Job[] = [];
  readonly #rejected = new Map<string, RejectedPicture>();
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;
  #tickets = 0;
  #batches = 0;

  private constructor(options: ResolvedLoaderOptions, cache: CacheShare | undefined) {
    super();
    this.#options = options;
    this.ring = allocate(options);
    this.#data = {
      ring: this.ring,
      folder: options.folder,
      seed: options.seed,
      samples: { train: packSamples(options.samples.train), val: packSamples(options.samples.val) },
      transforms: options.transforms,
      normalization: options.normalization,
      shuffleBuffer: options.shuffleBuffer,
      cache,
    };
    this.grow(options.workers);
  }

  /**
   * Starts the threads. They do not keep the process alive, but `close` is still to be called.
   * @throws UserError when an option is wrong
   */
  static async start(options: LoaderOptions): Promise<Loader> {
    const resolved = resolveLoaderOptions(options);
    const loader = new Loader(resolved, await cacheOf(resolved));
    try {
      await loader.#ready();
    } catch (error) {
      await loader.close();
      throw error;
    }
    return loader;
  }

  get workers(): number {
    return this.#threads.length;
  }

  /** What pictures have cost so far, over all threads; waiting for a free slot is not in it. */
  get effort(): { readonly pictures: number; readonly milliseconds: number } {
    const [pictures, microseconds] = effortOf(this.ring);
    return { pictures: Number(pictures), milliseconds: Number(microseconds) / 1000 };
  }

  /** Starts threads until there are so many. What they load is the same for any number. */
  grow(workers: number): void {
    if (this.#failure || this.#closing) return;
    while (this.#threads.length < workers) {
      const thread = this.#startThread(this.#threads.length);
      for (const job of this.#queued) thread.postMessage(job);
      this.#threads.push(thread);
    }
  }

  /** Pictures that could not be used so far. */
  get rejected(): readonly RejectedPicture[] {
    return [...this.#rejected.values()];
  }

  /**
   * Queues an epoch, or a part of it; the threads go on with it as soon as the jobs before are begun.
   * @throws UserError when the split is empty, or smaller than a batch and only full ones are wanted;
   *   Error when the loader has failed or was closed
   */
  enqueue(request: JobRequest): QueuedJob {
    if (this.#failure) throw this.#failure;
    if (this.#closing) throw new Error('the loader was closed');
    const { split } = request;
    const job = planJob(request, {
      id: this.#queued.length,
      length: this.#options.samples[split].length,
      batchSize: this.#options.batchSize[split],
      share: this.#options.share,
      firstTicket: this.#tickets,
      firstNumber: this.#batches,
    });
    this.#queued.push(job);
    this.#tickets += job.images;
    this.#batches += job.batches;
    for (const thread of this.#threads) thread.postMessage(job);
    const control = controlOf(this.ring);
    Atomics.add(control, word.jobs, 1);
    Atomics.notify(control, word.jobs);
    return { job: job.id, batches: job.batches, images: job.total };
  }

  /** Ends the threads at once, and every wait of a reader with an error. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    closeRing(this.ring);
    // never terminated: a thread that is cut off within libjpeg-turbo takes the whole process with it
    await Promise.all(this.#threads.map(left));
  }

  #startThread(index: number): Worker {
    const thread = new Worker(workerEntry('data/loader/thread.js'), {
      workerData: this.#data,
      name: `resnode-loader-${index}`,
    });
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'ready') thread.unref();
      if (message.kind === 'rejected') this.#reject({ file: message.file, reason: message.reason });
      if (message.kind === 'warning') this.#options.onWarning(message.message);
    });
    thread.on('error', (error) => this.#fail(error));
    thread.on('exit', (code) => {
      if (!this.#closing) this.#fail(new Error(`a loader thread ended early (exit code ${code})`));
    });
    return thread;
  }

  /** Resolves when every thread has sent its first message. */
  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let waiting = this.#threads.length;
      this.once('failed', reject);
      for (const thread of this.#threads) {
        thread.once('message', () => {
          if (--waiting > 0) return;
          this.off('failed', reject);
          resolve();
        });
      }
    });
  }

  #reject(picture: RejectedPicture): void {
    if (this.#rejected.has(picture.file)) return;
    this.#rejected.set(picture.file, picture);
    this.emit('rejected', picture);
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    failRing(this.ring, error.message);
    this.emit('failed', error);
  }
}

async function cacheOf({
  cache,
  samples,
  onWarning,
}: ResolvedLoaderOptions): Promise<CacheShare | undefined> {
  return cache && openCache(cache, samples.train.length + samples.val.length, onWarning);
}

/** @throws UserError when there is no memory for the ring */
function allocate({ slots, batchSize, height, width, share }: ResolvedLoaderOptions): BatchRing {
  const capacity = Math.ceil(Math.max(batchSize.train, batchSize.val) / share.of);
  try {
    return createRing({ slots, capacity, height, width });
  } catch (error) {
    const gigabytes = (slots * capacity * 3 * height * width * 4) / 1e9;
    throw new UserError(
      `no memory for ${slots} batches of ${capacity} pictures of ${height} x ${width} (${gigabytes.toFixed(1)} GB)`,
      { hint: 'Give a smaller batch size or crop.', cause: error },
    );
  }
}

/** Resolves when a thread has ended by itself, as each does once the ring is closed. */
function left(thread: Worker): Promise<void> {
  if (thread.threadId < 0) return Promise.resolve();
  thread.ref();
  return new Promise((resolve) => thread.once('exit', () => resolve()));
}
