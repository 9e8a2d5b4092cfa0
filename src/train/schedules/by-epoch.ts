import { z } from 'zod';
import { defineSchedule, type ScheduleDefinition, type ScheduleSettings } from './schedule.js';

type EpochState = { readonly epoch: number };

/**
 * A schedule whose rate follows from the number of epochs done alone; a changed option holds at once.
 * @param rate of the epoch that comes after `epoch` finished ones
 */
export function byEpoch<Schema extends z.ZodObject>(
  name: string,
  options: Schema,
  rate: (epoch: number, settings: ScheduleSettings<z.output<Schema>>) => number,
): ScheduleDefinition<Schema, EpochState> {
  return defineSchedule({
    name,
    options,
    state: z.strictObject({ epoch: z.int().min(0) }),
    start: () => ({ epoch: 0 }),
    rate: ({ epoch }, settings) => rate(epoch, settings),
    next: ({ epoch }) => ({ epoch: epoch + 1 }),
  });
}
