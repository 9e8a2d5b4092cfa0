import { UserError } from '../../errors.js';
import { all, rowsOf, type Share } from './shares.js';

export type Split = 'train' | 'val';

/** What to load: one epoch of a split, or a part of it. */
export interface JobRequest {
  readonly split: Split;
  /** Number of the epoch: with the seed and the sample it decides every random draw. */
  readonly epoch: number;
  /** Batches of the epoch to leave out at the beginning, to go on with a broken off one. Default 0. */
  readonly firstBatch?: number;
  /** Most batches to load. Default: up to the end of the epoch. */
  readonly batches?: number;
  /** Whether to leave out a last batch that would not be full. Default: for train. */
  readonly dropLast?: boolean;
  /** Whether to load in the random order of (seed, epoch). Default: for train. */
  readonly shuffle?: boolean;
}

/** A job as the threads see it. */
export interface Job {
  readonly id: number;
  readonly split: Split;
  readonly epoch: number;
  readonly shuffle: boolean;
  /** Pictures of a whole batch, and who of several loads which of them. */
  readonly batchSize: number;
  readonly share: Share;
  /** Batches of the epoch before the first one of this job. */
  readonly firstBatch: number;
  readonly batches: number;
  /** Pictures of the job over all shares. */
  readonly total: number;
  /** Pictures to load: those of this share, at least one of each batch. */
  readonly images: number;
  /** Pictures, and batches, of all jobs before. */
  readonly firstTicket: number;
  readonly firstNumber: number;
}

/**
 * @param options.length samples in the split
 * @throws UserError when the split has not one full batch and only full ones are wanted; RangeError when the
 *   part of the epoch is none
 */
export function planJob(
  request: JobRequest,
  options: {
    id: number;
    length: number;
    batchSize: number;
    share?: Share;
    firstTicket: number;
    firstNumber: number;
  },
): Job {
  const { split, epoch, firstBatch = 0, batches = Number.POSITIVE_INFINITY } = request;
  const { length, batchSize, share = all, ...place } = options;
  const dropLast = request.dropLast ?? split === 'train';
  const inEpoch = dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
  if (length === 0) throw new UserError(`the dataset has no pictures in ${split}`);
  if (inEpoch === 0) {
    throw new UserError(`${split} has ${length} pictures, fewer than one batch of ${batchSize}`, {
      hint: `Give a batch size of at most ${length}.`,
    });
  }
  if (!Number.isInteger(firstBatch) || firstBatch < 0 || firstBatch > inEpoch) {
    throw new RangeError(`batch ${firstBatch} is not within the ${inEpoch} batches of the epoch`);
  }
  if (!(batches >= 0)) throw new RangeError(`cannot load ${batches} batches`);
  const count = Math.min(inEpoch - firstBatch, Math.floor(batches));
  const end = Math.min(length, (firstBatch + count) * batchSize);
  const total = count === 0 ? 0 : end - firstBatch * batchSize;
  const before = Math.max(0, count - 1);
  const last = Math.max(1, rowsOf(total - before * batchSize, share).count);
  return {
    split,
    epoch,
    shuffle: request.shuffle ?? split === 'train',
    batchSize,
    share,
    firstBatch,
    batches: count,
    total,
    images: count === 0 ? 0 : before * rowsOf(batchSize, share).count + last,
    ...place,
  };
}

/** A picture of a job. */
export interface JobPlace {
  /** Batch within the job. */
  readonly batch: number;
  /** Place among the pictures of the batch that this share loads. */
  readonly position: number;
  /** Place in the epoch. */
  readonly sample: number;
  /** Pictures of the batch of this share, and of all. */
  readonly count: number;
  readonly total: number;
}

/** @param within number of the picture among those of the job that this share loads */
export function placeIn(job: Job, within: number): JobPlace {
  const { batchSize, share, firstBatch } = job;
  const perBatch = rowsOf(batchSize, share).count;
  const batch = Math.min(job.batches - 1, Math.floor(within / perBatch));
  const position = within - batch * perBatch;
  const total = Math.min(batchSize, job.total - batch * batchSize);
  const { first, count } = rowsOf(total, share);
  // of a batch without a picture for this share one is loaded all the same, so that the batch gets full
  const row = Math.min(first + position, total - 1);
  return { batch, position, sample: (firstBatch + batch) * batchSize + row, count, total };
}
