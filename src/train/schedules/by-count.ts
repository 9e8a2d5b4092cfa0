import { z } from 'zod';
import { defineSchedule, type ScheduleDefinition, type ScheduleSettings } from './schedule.js';

type Count = { readonly epoch: number };

/** What may be added to a schedule that {@link byCount} makes. */
type Extras<Schema extends z.ZodObject> = Pick<
  ScheduleDefinition<Schema, Count>,
  'by' | 'length' | 'complete'
> & {
  readonly momentum?: (count: number, settings: ScheduleSettings<z.output<Schema>>) => number | undefined;
};

/**
 * A schedule whose rate follows from the number of epochs (or batches) done alone; a changed option holds at
 * once.
 * @param rate of the epoch that comes after `count` finished ones
 */
export function byCount<Schema extends z.ZodObject>(
  name: string,
  options: Schema,
  rate: (count: number, settings: ScheduleSettings<z.output<Schema>>) => number,
  { momentum, ...extras }: Extras<Schema> = {},
): ScheduleDefinition<Schema, Count> {
  return defineSchedule({
    ...extras,
    name,
    options,
    state: z.strictObject({ epoch: z.int().min(0) }),
    start: () => ({ epoch: 0 }),
    rate: ({ epoch }, settings) => rate(epoch, settings),
    next: ({ epoch }) => ({ epoch: epoch + 1 }),
    ...(momentum ? { momentum: ({ epoch }, settings) => momentum(epoch, settings) } : {}),
  });
}
