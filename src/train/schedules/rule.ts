import { z } from 'zod';

/** A state together with the name of the schedule that it belongs to; plain JSON. */
export interface SavedSchedule {
  readonly name: string;
  readonly state: Record<string, number | null>;
  /** In a sequence, the state of the schedule that runs. */
  readonly current?: SavedSchedule | undefined;
}

export const savedSchedule: z.ZodType<SavedSchedule> = z.strictObject({
  name: z.string(),
  state: z.record(z.string(), z.number().nullable()),
  current: z.lazy(() => savedSchedule).optional(),
});

/** A schedule with its options in place: functions from one state to the next. */
export interface Rule {
  /** Whether the rate may change within an epoch. */
  readonly perStep: boolean;
  start(): SavedSchedule;
  rate(at: SavedSchedule): number;
  /** Undefined where the optimizer's own momentum holds. */
  momentum(at: SavedSchedule): number | undefined;
  /** State after a batch. */
  step(at: SavedSchedule): SavedSchedule;
  /**
   * State after an epoch, to be asked for after its last batch.
   * @param metric undefined where nobody knows it any more: schedules that look at it stay as they are
   */
  epoch(at: SavedSchedule, metric: number | undefined): SavedSchedule;
  /** A saved state to go on from; undefined where it belongs to another schedule. */
  adopt(saved: SavedSchedule): SavedSchedule | undefined;
  /** State for the base rate in force, where the saved one came from another. */
  rebase(at: SavedSchedule): SavedSchedule;
}
