import type { SummaryValue } from './messages.js';

/** The checkpoint at the end of an epoch. */
export interface EpochCheckpoint {
  readonly path: string;
  readonly epoch: number;
  /** Whether the epoch is the best so far. */
  readonly best: boolean;
}

/** What the network says of a validation picture. */
export interface JudgedPicture {
  /** Path below the dataset's folder. */
  readonly file: string;
  /** Id of its class. */
  readonly label: number;
  /** The likeliest classes, best first. */
  readonly top: ReadonlyArray<{ readonly id: number; readonly probability: number }>;
}

/** Something to show beside the curves, of checkpoints at the end of an epoch. */
export interface Extra {
  /** Takes what the validation of an epoch finds, before the epoch ends. */
  notePictures?(pictures: readonly JudgedPicture[]): void;
  /** An epoch ends: what belongs to this moment is to be asked for now. */
  noteEpoch?(epoch: number): void;
  /** What there is to show of a checkpoint that lies on the disk. */
  values(checkpoint: EpochCheckpoint): Promise<readonly SummaryValue[]>;
}
