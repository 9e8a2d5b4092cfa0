import type { z } from 'zod';

/** What a schedule has to remember, plain JSON; kept in the checkpoint. */
export type ScheduleState = Readonly<Record<string, number | null>>;

/** Where a schedule starts: the options given to it and the learning rate of the first epoch. */
export interface ScheduleSettings<Options> {
  readonly options: Options;
  readonly baseRate: number;
}

/**
 * A rule for the learning rate from epoch to epoch, without any state of its own: one file of this folder and
 * one line of registry in index.ts.
 */
export interface ScheduleDefinition<
  Schema extends z.ZodObject = z.ZodObject,
  State extends ScheduleState = ScheduleState,
> {
  readonly name: string;
  readonly options: Schema;
  readonly state: z.ZodType<State>;
  /** State before the first epoch. */
  start(settings: ScheduleSettings<z.output<Schema>>): State;
  /** Learning rate of the epoch that comes next. */
  rate(state: State, settings: ScheduleSettings<z.output<Schema>>): number;
  /**
   * State after an epoch.
   * @param metric validation accuracy in percent, for schedules that look at it
   */
  next(state: State, metric: number, settings: ScheduleSettings<z.output<Schema>>): State;
  /** State for another base rate, where the state holds the rate. */
  rebase?(state: State, baseRate: number): State;
}

export function defineSchedule<Schema extends z.ZodObject, State extends ScheduleState>(
  definition: ScheduleDefinition<Schema, State>,
): ScheduleDefinition<Schema, State> {
  return definition;
}
