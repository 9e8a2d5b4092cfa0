import type { SummaryValue } from './messages.js';

/** The checkpoint at the end of an epoch. */
export interface EpochCheckpoint {
  readonly path: string;
  readonly epoch: number;
  /** Whether the epoch is the best so far. */
  readonly best: boolean;
}

/** Something to show beside the curves, of checkpoints at the end of an epoch. */
export interface Extra {
  /** An epoch ends: what belongs to this moment is to be asked for now. */
  noteEpoch?(epoch: number): void;
  /** What there is to show of a checkpoint that lies on the disk. */
  values(checkpoint: EpochCheckpoint): Promise<readonly SummaryValue[]>;
}
