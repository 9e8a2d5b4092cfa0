import type { EpochResult } from './checkpoint.js';
import type { SavedCheckpoint } from './checkpoint-saver.js';

/** What a training tells while it runs. */
export type TrainEvent =
  /** Set-up of the engine. */
  | { readonly kind: 'message'; readonly text: string }
  | TrainStart
  | TrainStep
  | ({
      readonly kind: 'epoch';
      readonly epochs: number;
      readonly steps: number;
      /** Share of this process's time for the epoch, 0 to 1, in which the engine waited for pictures. */
      readonly waited?: number | undefined;
    } & EpochResult)
  /** A checkpoint is on the disk, durable, and marked as the last. */
  | ({ readonly kind: 'checkpoint' } & SavedCheckpoint)
  /** Steps whose gradient was infinite in half precision were left out; the loss is scaled by `scale` from here on. */
  | { readonly kind: 'skipped'; readonly steps: number; readonly total: number; readonly scale: number }
  | { readonly kind: 'learningRate'; readonly from: number; readonly to: number }
  /** A picture that could not be used, once for each. */
  | { readonly kind: 'rejected'; readonly file: string; readonly reason: string }
  | { readonly kind: 'warning'; readonly message: string };

export interface TrainStart {
  readonly kind: 'start';
  /** Run folder. */
  readonly run: string;
  readonly model: string;
  readonly classes: number;
  readonly pictures: { readonly train: number; readonly val: number };
  /** Pixels. */
  readonly crop: number;
  readonly batchSize: number;
  readonly epochs: number;
  readonly computing: Computing;
  /** Where it goes on from. */
  readonly resumed: { readonly path: string; readonly epoch: number; readonly step: number } | undefined;
}

/** What a training runs on. */
export interface Computing {
  readonly engine: string;
  /** A replica on each. */
  readonly devices: readonly string[];
  readonly precision: string;
  /** Processes that share it. */
  readonly ranks: number;
}

/** Within an epoch, at most ten times a second. */
export interface TrainStep {
  readonly kind: 'step';
  readonly phase: 'train' | 'validate';
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done of the phase. */
  readonly step: number;
  readonly steps: number;
  /** Batches of `step` that this process did, in `seconds`. */
  readonly timed: number;
  readonly seconds: number;
  /** Means over the epoch so far; of training in both phases. */
  readonly loss: number;
  /** Percent. */
  readonly trainAccuracy: number;
  /** Mean of the gradient's norm before clipping, where it is clipped by its norm. */
  readonly gradientNorm?: number;
  readonly learningRate: number;
  /** Share of the time so far, 0 to 1, in which the engine waited for pictures; undefined where it is not told. */
  readonly waited?: number | undefined;
}

export type TrainListener = (event: TrainEvent) => void;
