import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resolveSchedule, Schedule, type ScheduleSpec, scheduleNames } from './index.js';

/** A value, or one that stays: [value, epochs]. */
type Packed = ReadonlyArray<number | readonly [number, number]>;

interface GoldenCase {
  readonly id: string;
  readonly schedule: string;
  readonly lr: number;
  readonly options: Record<string, unknown>;
  readonly metrics?: string;
  readonly learningRates: Packed;
  readonly momenta?: Packed;
}

interface Golden {
  readonly epochs: number;
  readonly metrics: Record<string, number[]>;
  readonly cases: GoldenCase[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/schedules.json', import.meta.url), 'utf8'),
) as Golden;

/** Near the ends, where schedules turn, and in between. */
const stops = [1, 5, 6, 30, 48, 50, 55, 131, 199];

function unpack(packed: Packed): number[] {
  return packed.flatMap((each) =>
    typeof each === 'number' ? [each] : Array.from({ length: each[1] }, () => each[0]),
  );
}

function specOf({ schedule, options }: GoldenCase, by: 'epoch' | 'step'): ScheduleSpec {
  const given = { name: schedule, ...options, by };
  const schedules = (given as { schedules?: ScheduleSpec[] }).schedules?.map((each) => ({ ...each, by }));
  const run = { epochs: golden.epochs, stepsPerEpoch: 1 };
  return resolveSchedule({ ...given, ...(schedules ? { schedules } : {}) }, run);
}

/** Difference relative to the expected; 0 for nothing at all in both. */
function difference(actual: number | undefined, expected: number): number {
  return actual === expected ? 0 : Math.abs((actual ?? Number.NaN) - expected) / Math.abs(expected);
}

/**
 * Follows the schedule to the end; before each of the epochs `stopped` it is saved and made again.
 * @returns what lies further than 1e-12 from PyTorch's
 */
function follow(each: GoldenCase, by: 'epoch' | 'step', stopped: readonly number[]): string[] {
  const momenta = each.momenta && unpack(each.momenta);
  const metrics = golden.metrics[each.metrics ?? ''];
  const spec = specOf(each, by);
  let schedule = new Schedule(spec, { baseRate: each.lr });
  return unpack(each.learningRates).flatMap((rate, epoch) => {
    if (stopped.includes(epoch)) {
      const saved = JSON.parse(JSON.stringify(schedule.save()));
      schedule = new Schedule(JSON.parse(JSON.stringify(spec)), { baseRate: each.lr, saved });
    }
    const { learningRate, momentum } = schedule;
    const expected = momenta?.[epoch];
    if (by === 'step') schedule.advance(1);
    else schedule.endEpoch(metrics?.[epoch] ?? 0);
    return [
      ...(difference(learningRate, rate) < 1e-12 ? [] : [`epoch ${epoch}: ${learningRate}, not ${rate}`]),
      ...(expected === undefined || difference(momentum, expected) < 1e-12
        ? []
        : [`epoch ${epoch}: momentum ${momentum}, not ${expected}`]),
    ];
  });
}

describe('schedules against PyTorch, 200 epochs', () => {
  it('has cases of every schedule', () => {
    const names = new Set(golden.cases.map(({ schedule }) => schedule));
    expect([...names, 'constant'].sort()).toEqual(scheduleNames().sort());
    for (const { learningRates } of golden.cases) expect(unpack(learningRates)).toHaveLength(golden.epochs);
  });

  describe.each(golden.cases.map((each) => [each.id, each] as const))('%s', (_, each) => {
    it('to the end', () => expect(follow(each, 'epoch', [])).toEqual([]));

    it('with one stop, and going on from there', () => {
      for (const stop of stops) expect(follow(each, 'epoch', [stop]), `stopped after ${stop}`).toEqual([]);
    });

    it('with a stop after every epoch', () => {
      expect(follow(each, 'epoch', [...Array(golden.epochs).keys()])).toEqual([]);
    });

    it.skipIf(each.schedule === 'reduceLrOnPlateau')('counting steps', () => {
      expect(follow(each, 'step', stops)).toEqual([]);
    });
  });
});
