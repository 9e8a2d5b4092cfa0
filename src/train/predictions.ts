import type { Dataset } from '../data/dataset.js';
import type { Sample } from '../data/sample.js';
import type { CheckpointInfo } from './checkpoint.js';
import type { TrainingEngine } from './engine-group.js';
import type { EvaluateOptions, EvaluateResult } from './evaluation.js';
import { noSums } from './metrics.js';
import { openValidation } from './open-validation.js';
import type { PackedPredictions } from './packed-predictions.js';
import type { SpanResult } from './span.js';
import { World } from './world.js';

/** What a network says of one picture of a dataset. */
export interface PicturePrediction {
  /** Path below the dataset's folder, e.g. `val/0a3f.jpg`. */
  readonly file: string;
  /** Id of its true class. */
  readonly label: number;
  /** The likeliest classes, best first; the probability is 0 to 1. */
  readonly top: ReadonlyArray<{ readonly id: number; readonly probability: number }>;
  /** Probability of the true class. */
  readonly probability: number;
  /** Cross-entropy, `-ln(probability)`: orders mistakes also where the probability is 0 in figures. */
  readonly loss: number;
}

/** Takes pictures in the order of val.csv, some batches at a time; the next come when its promise resolves. */
export type PictureListener = (pictures: readonly PicturePrediction[]) => void | Promise<void>;

/** Options of {@link predictQueued}. */
export interface PredictQueuedOptions {
  /** An engine whose state holds the network. */
  readonly engine: TrainingEngine;
  /** What the loader was told to load, unshuffled, e.g. `dataset.val`. */
  readonly samples: readonly Sample[];
  /** Batches that were queued at the loader. */
  readonly batches: number;
  /** Classes to keep for each picture. Default 5. */
  readonly top?: number | undefined;
  readonly onPictures: PictureListener;
  /** Told of batches done. */
  readonly onProgress?: (done: number) => void;
}

/** Batches whose pictures are in memory at once. */
const stride = 16;

/**
 * Sends the validation pictures that are queued at the loader through the engine and hands on what it says of
 * each. Pictures that cannot be read are left out. Memory does not grow with the number of pictures.
 *
 * Within a training, after `loader.enqueue({ split: 'val', epoch, shuffle: false })`, this takes the place of
 * `engine.call('validate', { batches })` and gives the same sums.
 * @returns the sums over all, and how it ended: the caller checks `ended`
 */
export async function predictQueued(options: PredictQueuedOptions): Promise<SpanResult> {
  const { engine, samples, batches, top = 5, onPictures, onProgress } = options;
  let all: SpanResult = { batches: 0, sums: noSums, waitedMs: 0, ended: 'done' };
  let position = 0;
  const { onProgress: before } = engine;
  engine.onProgress = (progress) => onProgress?.(all.batches + progress.batches);
  try {
    while (all.ended === 'done' && all.batches < batches) {
      const request = { batches: Math.min(stride, batches - all.batches), sums: all.sums, top };
      const { pictures, ...span } = await engine.call('classify', request);
      all = { ...span, batches: all.batches + span.batches, waitedMs: all.waitedMs + span.waitedMs };
      await onPictures(unpack(pictures, samples.slice(position, position + pictures.labels.length)));
      position += pictures.labels.length;
    }
  } finally {
    engine.onProgress = before;
  }
  return all;
}

/** Options of {@link predictValidation}. */
export interface PredictValidationOptions extends EvaluateOptions {
  /** Classes to keep for each picture. Default 5, or all where there are fewer. */
  top?: number | undefined;
  /** Called once, before any picture. */
  onStart?: ((start: { info: CheckpointInfo; dataset: Dataset }) => void) | undefined;
  onPictures: PictureListener;
}

/**
 * Measures a trained network as `evaluate` does, and hands on what it says of each validation picture.
 *
 * ```ts
 * const wrong: PicturePrediction[] = [];
 * await predictValidation({
 *   project: 'birds',
 *   onPictures: (pictures) => {
 *     wrong.push(...pictures.filter(({ top, label }) => top[0]?.id !== label));
 *   },
 * });
 * ```
 * @throws UserError when there is no checkpoint, or the dataset has other classes
 */
export async function predictValidation(options: PredictValidationOptions): Promise<EvaluateResult> {
  const { top, onStart, onPictures } = options;
  return World.among(async (world) => {
    const validation = await openValidation(options, world);
    try {
      const { info, dataset, engine, batches } = validation;
      onStart?.({ info, dataset });
      const samples = dataset.val;
      const onProgress = (done: number): void => validation.report(done);
      return await validation.finish(
        await predictQueued({ engine, samples, batches, top, onPictures, onProgress }),
      );
    } finally {
      await validation.close();
    }
  });
}

function unpack(packed: PackedPredictions, samples: readonly Sample[]): PicturePrediction[] {
  const { top, labels, losses, ids, probabilities } = packed;
  return samples.flatMap(({ file }, row) => {
    const label = labels[row] as number;
    if (label < 0) return [];
    const loss = losses[row] as number;
    const classes = Array.from({ length: top }, (_, rank) => ({
      id: ids[row * top + rank] as number,
      probability: probabilities[row * top + rank] as number,
    }));
    return [{ file, label, top: classes, probability: Math.exp(-loss), loss }];
  });
}
