import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { parseSchedule, resolveSchedule, Schedule, scheduleNames } from './index.js';

interface GoldenCase {
  readonly id: string;
  readonly schedule: string;
  readonly lr: number;
  readonly options: Record<string, unknown>;
  readonly metrics?: number[];
  readonly learningRates: number[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/schedules.json', import.meta.url), 'utf8'),
) as { epochs: number; cases: GoldenCase[] };
const ours = golden.cases.filter(({ schedule }) => scheduleNames().includes(schedule));

function make({ schedule, options, lr }: GoldenCase): Schedule {
  return new Schedule(resolveSchedule({ name: schedule, ...options }, { epochs: 50 }), { baseRate: lr });
}

describe('schedules against PyTorch', () => {
  it('has cases of every schedule', () => {
    const names = new Set(ours.map(({ schedule }) => schedule));
    for (const name of scheduleNames()) if (name !== 'constant') expect(names).toContain(name);
  });

  it.each(ours.map((each) => [each.id, each] as const))('%s', (_, each) => {
    const schedule = make(each);
    each.learningRates.forEach((expected, epoch) => {
      expect(schedule.learningRate / expected, `epoch ${epoch}`).toBeCloseTo(1, 9);
      schedule.step(each.metrics?.[epoch] ?? 0);
    });
  });
});

describe('a schedule', () => {
  it('goes on after any epoch as if it had not been saved', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ours), fc.integer({ min: 0, max: 49 }), (each, stop) => {
        const whole = make(each);
        let resumed = make(each);
        for (let epoch = 0; epoch < golden.epochs; epoch++) {
          if (epoch === stop) {
            const saved = JSON.parse(JSON.stringify(resumed.save()));
            resumed = new Schedule({ name: each.schedule, ...each.options }, { baseRate: each.lr, saved });
          }
          expect(resumed.learningRate).toBe(whole.learningRate);
          for (const schedule of [whole, resumed]) schedule.step(each.metrics?.[epoch] ?? 0);
        }
      }),
    );
  });

  it('takes a changed etaMin on resume', () => {
    const before = new Schedule({ name: 'cosine', tMax: 5, etaMin: 1e-5 }, { baseRate: 1e-3 });
    for (let epoch = 0; epoch < 5; epoch++) before.step(0);
    expect(before.learningRate).toBeCloseTo(1e-5, 12);
    const saved = before.save();
    const after = new Schedule({ name: 'cosine', tMax: 5, etaMin: 1e-7 }, { baseRate: 1e-3, saved });
    expect(after.learningRate).toBeCloseTo(1e-7, 12);
  });

  it('starts at the epoch reached when another schedule ran before', () => {
    const saved = new Schedule({ name: 'plateau' }, { baseRate: 0.1 }).save();
    const next = new Schedule({ name: 'step', stepSize: 2, gamma: 0.5 }, { baseRate: 0.1, saved, epochs: 4 });
    expect(next.learningRate).toBeCloseTo(0.025, 12);
  });

  it('keeps the count of a plateau but takes a new rate', () => {
    const before = new Schedule({ name: 'plateau' }, { baseRate: 0.1 });
    for (let epoch = 0; epoch < 4; epoch++) before.step(50);
    const after = new Schedule({ name: 'plateau' }, { baseRate: 0.02, saved: before.save() });
    after.rebase();
    expect(after.learningRate).toBe(0.02);
    after.step(50);
    expect(after.learningRate).toBe(0.01);
  });

  it('fills in options: a cosine is as long as the run', () => {
    expect(resolveSchedule({ name: 'cosine' }, { epochs: 30 })).toEqual({
      name: 'cosineAnnealing',
      tMax: 30,
      etaMin: 0,
    });
    expect(resolveSchedule({ name: 'plateau' }, { epochs: 30 })).toMatchObject({
      name: 'reduceLrOnPlateau',
      mode: 'max',
      factor: 0.5,
      patience: 3,
      threshold: 0.01,
    });
  });

  it('is read as people type it', () => {
    expect(parseSchedule('cosine, tMax=5,etaMin=1e-5')).toEqual({ name: 'cosine', tMax: 5, etaMin: 1e-5 });
    expect(parseSchedule('multiStep,milestones=3+6')).toEqual({ name: 'multiStep', milestones: [3, 6] });
    expect(() => parseSchedule('cosine,5')).toThrow(UserError);
  });

  it.each([
    [{ name: 'cosin' }, /no schedule 'cosin'/],
    [{ name: 'plateau', patients: 3 }, /no option 'patients'/],
    [{ name: 'plateau', factor: 2 }, /factor cannot be 2/],
    [{ name: 'step', stepSize: 0 }, /stepSize cannot be 0/],
  ])('refuses %j', (spec, message) => {
    expect(() => resolveSchedule(spec, { epochs: 1 })).toThrow(message);
  });
});
