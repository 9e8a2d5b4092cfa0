import type { z } from 'zod';

/** What a schedule has to remember, plain JSON; kept in the checkpoint. */
export type ScheduleState = Readonly<Record<string, number | null>>;

/** What a schedule counts: epochs or batches. PyTorch leaves it to where `scheduler.step()` stands. */
export type Unit = 'epoch' | 'step';

/** Where a schedule starts: the options given to it and the learning rate that the run was told. */
export interface ScheduleSettings<Options> {
  readonly options: Options;
  readonly baseRate: number;
}

/** What is known of the run when the options of its schedule are filled in. */
export interface ScheduleRun {
  /** Epochs that the schedule has to itself. */
  readonly epochs: number;
  /** Batches in an epoch. */
  readonly stepsPerEpoch: number;
  /** Whether the optimizer has a momentum that may change while it runs. Default true. */
  readonly cyclesMomentum?: boolean;
}

/**
 * A rule for the learning rate, without any state of its own: one file of this folder and one line in
 * registry.ts. It counts in its unit: epochs, or batches where it is told `by: 'step'`.
 */
export interface ScheduleDefinition<
  Schema extends z.ZodObject = z.ZodObject,
  State extends ScheduleState = ScheduleState,
> {
  readonly name: string;
  readonly options: Schema;
  readonly state: z.ZodType<State>;
  /** What it counts when nobody says. Default: epochs. */
  readonly by?: Unit;
  /** Whether {@link next} needs a metric, which there is after an epoch only. Default false. */
  readonly needsMetric?: boolean;
  /** Name of the option that is as long as the run when it is left out. */
  readonly length?: string;
  /** Fills in what the schema cannot know. */
  complete?(options: z.output<Schema>, run: ScheduleRun): z.output<Schema>;
  /** State before the first epoch. */
  start(settings: ScheduleSettings<z.output<Schema>>): State;
  /** Learning rate of the epoch that comes next. */
  rate(state: State, settings: ScheduleSettings<z.output<Schema>>): number;
  /** Momentum of the epoch that comes next, where the schedule has a say in it. */
  momentum?(state: State, settings: ScheduleSettings<z.output<Schema>>): number | undefined;
  /**
   * State after an epoch.
   * @param metric validation accuracy in percent, for schedules that look at it
   */
  next(state: State, metric: number, settings: ScheduleSettings<z.output<Schema>>): State;
  /** A saved state under options that may have changed since. */
  adopt?(state: State, settings: ScheduleSettings<z.output<Schema>>): State;
  /** State for another base rate, where the state holds the rate. */
  rebase?(state: State, settings: ScheduleSettings<z.output<Schema>>): State;
}

export function defineSchedule<Schema extends z.ZodObject, State extends ScheduleState>(
  definition: ScheduleDefinition<Schema, State>,
): ScheduleDefinition<Schema, State> {
  return definition;
}
