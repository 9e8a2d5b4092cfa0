import type { RejectedPicture } from '../data/loader/loader.js';
import type { EngineSettings } from '../engines/settings.js';
import type { CheckpointChoice } from './pick-checkpoint.js';

/** Options of `evaluate`. */
export interface EvaluateOptions extends CheckpointChoice, EngineSettings {
  /** Folder of the dataset. Default: the one that the network was trained on. */
  data?: string | undefined;
  /** Default: the validation batch size of the training. */
  batchSize?: number | undefined;
  /** Threads that load pictures. */
  workers?: number | undefined;
  /** A replica of the network on each, which share the batches, as in a training; in the place of `device`. */
  devices?: string | undefined;
  /** Threads of the engine, of all replicas together. Default: physical cores. */
  threads?: number | undefined;
  /** Aborted, the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: EvaluateProgress) => void) | undefined;
}

export interface EvaluateProgress {
  /** Batches done, and all. */
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
}

export interface EvaluateResult {
  /** Pictures whose class was the first, in percent. */
  readonly top1: number;
  /** Pictures whose class was among the first five, in percent; all of them with five classes or fewer. */
  readonly top5: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Pictures that counted. */
  readonly images: number;
  /** For all pictures, loading included, without the start. */
  readonly seconds: number;
  readonly model: string;
  readonly classes: number;
  /** File with the weights. */
  readonly checkpoint: string;
  /** Epochs that they were trained. */
  readonly epoch: number;
  /** Folder of the dataset. */
  readonly data: string;
  /** Pictures that could not be used. */
  readonly rejected: readonly RejectedPicture[];
}
