import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { permutation } from '../../random/permutation.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { Picture, PictureRejection } from '../transforms/picture.js';
import { type PictureFunction, Pipeline } from '../transforms/pipeline.js';
import type { Normalization, TransformSpec } from '../transforms/transform.js';
import { BatchWriter } from './batch-writer.js';
import type { CacheShare } from './cache/cache-share.js';
import { PictureCache } from './cache/picture-cache.js';
import { type EpochOrder, groupedOrder } from './epoch-order.js';
import { type Job, placeIn, type Split } from './job.js';
import { PictureReader } from './picture-reader.js';
import { ReadAhead } from './read-ahead.js';
import { type BatchRing, failRing } from './ring.js';
import { type SampleTable, sampleFile } from './sample-table.js';
import { ShardFiles } from './shard-files.js';

/** What a loader thread is started with. */
export interface ThreadData {
  readonly ring: BatchRing;
  readonly folder: string;
  readonly seed: number;
  readonly samples: Readonly<Record<Split, SampleTable>>;
  readonly transforms: Readonly<Record<Split, readonly TransformSpec[]>>;
  readonly normalization: Normalization;
  /** Samples that are mixed with each other, read from shards; undefined to mix all with all. */
  readonly shuffleBuffer: number | undefined;
  /** Of decoded pictures, those of train first. */
  readonly cache: CacheShare | undefined;
}

/** What a loader thread says. The jobs that it is sent are plain `Job`s. */
export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rejected'; readonly file: string; readonly reason: string }
  | { readonly kind: 'warning'; readonly message: string };

/** How pictures of one split are made. */
interface SplitWork {
  readonly samples: SampleTable;
  readonly transform: PictureFunction;
  readonly random: RandomStream;
  readonly files: ShardFiles;
  readonly ahead: ReadAhead | undefined;
}

/** One loader thread; it never returns to its event loop before the loader ends. */
class LoaderThread {
  readonly #data: ThreadData;
  readonly #writer: BatchWriter;
  readonly #reader = new PictureReader();
  readonly #picture = new Picture({ fast: true });
  readonly #cache: PictureCache | undefined;
  readonly #splits: Record<Split, SplitWork>;
  /** Jobs from the one that is being worked on to the last one known. */
  readonly #jobs: Job[] = [];
  #received = 0;
  #order: (EpochOrder & { readonly job: number }) | undefined;
  readonly #reported = new Set<string>();

  constructor(data: ThreadData) {
    this.#data = data;
    this.#writer = new BatchWriter(data.ring);
    this.#cache = data.cache && new PictureCache(data.cache, cacheFailed);
    this.#splits = {
      train: this.#work('train', randomPurpose.trainTransforms),
      val: this.#work('val', randomPurpose.valTransforms),
    };
  }

  #work(split: Split, purpose: number): SplitWork {
    const { ring, folder, seed, samples, transforms, normalization, shuffleBuffer } = this.#data;
    const { height, width } = ring;
    const files = new ShardFiles(folder, split);
    const { places } = samples[split];
    return {
      samples: samples[split],
      transform: new Pipeline(transforms[split], { size: { height, width }, normalization }).compile(),
      random: new RandomStream(seed, purpose),
      files,
      ahead: places && shuffleBuffer !== undefined ? new ReadAhead(files, places) : undefined,
    };
  }

  /** Fills batches until the loader ends. */
  run(): void {
    const writer = this.#writer;
    for (;;) {
      const ticket = writer.takeTicket();
      const job = this.#jobOf(ticket);
      if (!job) return;
      const place = placeIn(job, ticket - job.firstTicket);
      const { position, count, total } = place;
      const batch = job.firstNumber + place.batch;
      if (!writer.awaitTurn(batch)) return;
      const started = performance.now();
      const sample = this.#sampleAt(job, place.sample);
      const label = this.#load(job, sample, batch, position);
      writer.count(performance.now() - started);
      writer.finish(batch, position, label, {
        job: job.id,
        index: job.firstBatch + place.batch,
        ...{ count, total },
        last: place.batch === job.batches - 1,
      });
    }
  }

  /** Writes the pixels of a sample. @returns its label, -1 when it cannot be used */
  #load(job: Job, sample: number, batch: number, position: number): number {
    const { samples, transform, random } = this.#splits[job.split];
    const file = sampleFile(samples, sample);
    try {
      this.#fetch(job.split, sample, file);
      random.seek(job.epoch, sample);
      transform(this.#picture, random, this.#writer.images(batch), this.#writer.imageOffset(position));
      return samples.labels[sample] as number;
    } catch (error) {
      if (!(error instanceof PictureRejection)) throw withPicture(error, file);
      this.#report(file, error.message);
      this.#writer.clear(batch, position);
      return -1;
    }
  }

  /** From the cache, or from its file. */
  #fetch(split: Split, sample: number, file: string): void {
    const number = split === 'train' ? sample : this.#data.samples.train.length + sample;
    if (this.#cache?.read(number, this.#picture)) return;
    this.#read(split, sample, file);
    this.#cache?.keep(number, this.#picture);
  }

  #read(split: Split, sample: number, file: string): void {
    const { samples, files } = this.#splits[split];
    const { places } = samples;
    if (!places) {
      this.#reader.read(join(this.#data.folder, file), this.#picture);
      return;
    }
    const shard = places.shards[sample] as number;
    const name = file.slice(file.indexOf('/') + 1);
    const [offset, length] = [places.offsets[sample] as number, places.lengths[sample] as number];
    this.#reader.readPlace(files, { shard, name, offset, length }, this.#picture);
  }

  #report(file: string, reason: string): void {
    const { folder } = this.#data;
    // else every picture would be reported as missing, and the training go on with none
    if (!existsSync(folder)) throw new Error(`the dataset's folder ${folder} is no longer there`);
    if (this.#reported.has(file)) return;
    this.#reported.add(file);
    post({ kind: 'rejected', file, reason });
  }

  /** The job that a ticket belongs to, waited for when it is not queued yet; undefined at the loader's end. */
  #jobOf(ticket: number): Job | undefined {
    for (;;) {
      const job = this.#jobs[0];
      if (job && ticket < job.firstTicket + job.images) return job;
      if (job) {
        this.#jobs.shift();
        continue;
      }
      if (!this.#writer.awaitJobs(this.#received)) return undefined;
      this.#receiveJobs();
    }
  }

  #receiveJobs(): void {
    // the loader posts a job before it counts it, so all that were counted are here
    for (const queued = this.#writer.jobs(); this.#received !== queued; this.#received++) {
      const message = parentPort && receiveMessageOnPort(parentPort);
      if (!message) throw new Error('a job was announced to a loader thread but not sent');
      this.#jobs.push(message.message as Job);
    }
  }

  /** Sample at a position of the epoch. */
  #sampleAt(job: Job, position: number): number {
    if (!job.shuffle) return position;
    const { ahead } = this.#splits[job.split];
    if (this.#order?.job !== job.id) this.#order = { job: job.id, ...this.#orderOf(job) };
    ahead?.reach(this.#order, position);
    return this.#order.samples[position] as number;
  }

  #orderOf({ split, epoch }: Job): EpochOrder {
    const { seed, shuffleBuffer: buffer } = this.#data;
    const { length, places } = this.#splits[split].samples;
    if (places && buffer !== undefined) return groupedOrder(places.starts, { seed, epoch, buffer });
    return { samples: permutation(length, seed, epoch), groups: [] };
  }
}

/** Says which picture it was. */
function withPicture(error: unknown, file: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message} (picture ${file})`, { cause: error });
}

function cacheFailed(reason: string): void {
  post({ kind: 'warning', message: `no more decoded pictures are kept: ${reason}` });
}

function post(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

const data = workerData as ThreadData;
try {
  const thread = new LoaderThread(data);
  post({ kind: 'ready' });
  thread.run();
} catch (error) {
  // at once for the reader, which may block the thread that the error event would go to
  failRing(data.ring, error instanceof Error ? error.message : String(error));
  throw error;
}
