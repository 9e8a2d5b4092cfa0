import { UserError } from '../../errors.js';

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
  readonly batchSize: number;
  /** Batches of the epoch before the first one of this job. */
  readonly firstBatch: number;
  readonly batches: number;
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
  options: { id: number; length: number; batchSize: number; firstTicket: number; firstNumber: number },
): Job {
  const { split, epoch, firstBatch = 0, batches = Number.POSITIVE_INFINITY } = request;
  const { length, batchSize, ...place } = options;
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
  const images = Math.min(length, (firstBatch + count) * batchSize) - firstBatch * batchSize;
  return {
    split,
    epoch,
    shuffle: request.shuffle ?? split === 'train',
    batchSize,
    firstBatch,
    batches: count,
    images: count === 0 ? 0 : images,
    ...place,
  };
}
