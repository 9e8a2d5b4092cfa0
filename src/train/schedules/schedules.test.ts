import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { parseSchedule, resolveSchedule, Schedule, type ScheduleSpec } from './index.js';

const run = { epochs: 30, stepsPerEpoch: 10 };

/** A schedule of a run that its options are filled in for. */
function make(spec: ScheduleSpec, options: { baseRate?: number; saved?: Schedule } = {}): Schedule {
  const { baseRate = 0.1, saved } = options;
  return new Schedule(resolveSchedule(spec, run), {
    baseRate,
    stepsPerEpoch: run.stepsPerEpoch,
    saved: saved && JSON.parse(JSON.stringify(saved.save())),
  });
}

function epochsOf(
  schedule: Schedule,
  epochs: number,
  metric: (epoch: number) => number = () => 50,
): number[] {
  return Array.from({ length: epochs }, (_, epoch) => {
    const { learningRate } = schedule;
    schedule.advance(run.stepsPerEpoch);
    schedule.endEpoch(metric(epoch));
    return learningRate;
  });
}

describe('a changed schedule', () => {
  it('goes on towards a changed etaMin from the rate that it has, as PyTorch does', () => {
    const before = make({ name: 'cosine', tMax: 5, etaMin: 1e-5 }, { baseRate: 1e-3 });
    epochsOf(before, 5);
    const after = make({ name: 'cosine', tMax: 5, etaMin: 1e-7 }, { baseRate: 1e-3, saved: before });
    const spec = { name: 'cosine', tMax: 5, etaMin: 1e-5, etaMinAfter: { epoch: 5, etaMin: 1e-7 } };
    const told = make(spec, { baseRate: 1e-3 });
    epochsOf(told, 5);
    expect(after.learningRate).toBeCloseTo(1e-5, 12);
    expect(epochsOf(after, 20)).toEqual(epochsOf(told, 20));
  });

  it('carries a changed etaMin up to the next top as PyTorch does, ten times as large with a tMax of 5', () => {
    const spec = { name: 'cosine', tMax: 5, etaMin: 1e-5 };
    const at = (epoch: number): number =>
      epochsOf(make({ ...spec, etaMinAfter: { epoch, etaMin: 0 } }, { baseRate: 1e-3 }), 21)[20] ?? 0;
    expect(at(15) - 1e-3).toBeCloseTo(1e-5 / Math.sin(Math.PI / 10) ** 2, 12);
    expect(at(10)).toBeCloseTo(1e-3, 12);
  });

  it('goes on from a checkpoint that held the number of epochs alone', () => {
    const whole = make({ name: 'cosine', tMax: 5 });
    epochsOf(whole, 7);
    const saved = { name: 'cosineAnnealing', state: { epoch: 7 } };
    const done = { epochs: 7, steps: 0 };
    const after = new Schedule({ name: 'cosine', tMax: 5 }, { baseRate: 0.1, saved, done });
    expect(after.learningRate).toBe(whole.learningRate);
  });

  it('takes a changed length at once', () => {
    const before = make({ name: 'cosine', tMax: 5 });
    epochsOf(before, 4);
    const after = make({ name: 'cosine', tMax: 8 }, { saved: before });
    expect(after.learningRate).toBeCloseTo(0.05, 12);
  });

  it('never falls below 0 when etaMin is raised on the way up', () => {
    const schedule = make({ name: 'cosine', tMax: 5, etaMinAfter: { epoch: 6, etaMin: 0.05 } });
    for (const rate of epochsOf(schedule, 30)) expect(rate).toBeGreaterThanOrEqual(0);
  });

  it('starts at the epoch reached when another schedule ran before', () => {
    const saved = make({ name: 'plateau' }).save();
    const done = { epochs: 4, steps: 0 };
    const next = new Schedule({ name: 'step', stepSize: 2, gamma: 0.5 }, { baseRate: 0.1, saved, done });
    expect(next.learningRate).toBeCloseTo(0.025, 12);
  });

  it('starts at the batch reached when it counts batches', () => {
    const spec = resolveSchedule({ name: 'oneCycle' }, run);
    const whole = make(spec);
    epochsOf(whole, 7);
    whole.advance(3);
    const late = new Schedule(spec, { baseRate: 0.1, stepsPerEpoch: 10, done: { epochs: 7, steps: 3 } });
    expect(late.save()).toEqual(whole.save());
    expect(late.learningRate).toBe(whole.learningRate);
  });

  it('keeps the count of a plateau but takes a new rate', () => {
    const before = make({ name: 'plateau' });
    epochsOf(before, 4);
    const after = make({ name: 'plateau' }, { baseRate: 0.02, saved: before });
    after.rebase();
    expect(after.learningRate).toBe(0.02);
    after.endEpoch(50);
    expect(after.learningRate).toBe(0.01);
  });

  it('takes a new rate within a sequence and on a cosine', () => {
    for (const name of ['plateau', 'cosine', 'step']) {
      const before = make({ name, warmup: { epochs: 2 } });
      epochsOf(before, 2);
      const after = make({ name, warmup: { epochs: 2 } }, { baseRate: 0.02, saved: before });
      after.rebase();
      expect(after.learningRate).toBeCloseTo(0.02, 12);
    }
  });

  it('is counted anew from the beginning when its milestones have moved past it', () => {
    const parts = [{ name: 'constant' }, { name: 'step', stepSize: 2, gamma: 0.5 }];
    const before = make({ name: 'sequential', schedules: parts, milestones: [4] });
    epochsOf(before, 8);
    const after = new Schedule(
      { name: 'sequential', schedules: parts, milestones: [6] },
      { baseRate: 0.1, saved: before.save(), done: { epochs: 8, steps: 0 } },
    );
    expect(before.learningRate).toBeCloseTo(0.025, 12);
    expect(after.learningRate).toBeCloseTo(0.05, 12);
  });
});

describe('a sequence', () => {
  it('may hold a plateau, which starts with what it sees from there', () => {
    const schedule = make({ name: 'plateau', patience: 1, warmup: { epochs: 3, startFactor: 0.1 } });
    const rates = epochsOf(schedule, 8);
    expect(rates[0]).toBeCloseTo(0.01, 12);
    expect(rates.slice(3)).toEqual([0.1, 0.1, 0.1, 0.05, 0.05]);
  });

  it('gives a cosine what is left of the run', () => {
    expect(resolveSchedule({ name: 'cosine', warmup: { epochs: 5 } }, run)).toMatchObject({ tMax: 25 });
    expect(resolveSchedule({ name: 'cosine', by: 'step', warmup: { steps: 20 } }, run)).toMatchObject({
      tMax: 280,
    });
    const schedules = [{ name: 'cosine' }, { name: 'cosine' }, { name: 'oneCycle' }];
    const { schedules: resolved } = resolveSchedule(
      { name: 'sequential', schedules, milestones: [8, 20] },
      run,
    );
    expect(resolved).toMatchObject([{ tMax: 8 }, { tMax: 12 }, { totalSteps: 100 }]);
  });

  it('starts the next in mid-epoch where its milestones are steps', () => {
    const schedule = make({ name: 'exponential', gamma: 0.5, warmup: { steps: 15, startFactor: 0.25 } });
    const first = schedule.span(10).learningRate as Float64Array;
    expect([first[0], first[5]]).toEqual([0.025, 0.05]);
    expect(first[9]).toBeCloseTo(0.07, 12);
    expect(epochsOf(schedule, 5)[2]).toBeCloseTo(0.05, 12);
  });

  it('that changes with the last batch of an epoch does not count that epoch', () => {
    const byEpochs = make({ name: 'exponential', gamma: 0.5, warmup: { epochs: 2, by: 'step' } });
    const bySteps = make({ name: 'exponential', gamma: 0.5, warmup: { steps: 20 } });
    const rates = epochsOf(byEpochs, 6);
    expect(rates[2]).toBeCloseTo(0.1, 12);
    expect(rates[3]).toBeCloseTo(0.05, 12);
    expect(epochsOf(bySteps, 6)).toEqual(rates);
  });
});

describe('the rates of a span', () => {
  it('are one number where the schedule goes by epochs', () => {
    expect(make({ name: 'step' }).span(10)).toEqual({ learningRate: 0.1 });
  });

  it('are those of batch after batch, in spans of any length', () => {
    const spec = { name: 'oneCycle', threePhase: true };
    const [whole, parts] = [make(spec), make(spec)];
    const { learningRate, momentum } = whole.span(10);
    const taken = [3, 0, 1, 6].map((batches) => {
      const span = parts.span(batches);
      parts.advance(batches);
      return span;
    });
    expect(taken.flatMap((span) => [...(span.learningRate as Float64Array)])).toEqual([
      ...(learningRate as Float64Array),
    ]);
    expect(taken.flatMap((span) => [...((span.momentum ?? []) as Float64Array)])).toEqual([
      ...(momentum as Float64Array),
    ]);
    expect(whole.span(10)).toEqual({ learningRate, momentum });
  });

  it('leave the momentum to the optimizer where the schedule has no say', () => {
    expect(make({ name: 'oneCycle', cycleMomentum: false }).span(2).momentum).toBeUndefined();
    const schedules = [{ name: 'constant' }, { name: 'oneCycle' }];
    const later = make({ name: 'sequential', by: 'step', schedules, milestones: [2] });
    expect([...(later.span(3).momentum as Float64Array)]).toEqual([Number.NaN, Number.NaN, 0.95]);
  });
});

describe('resolveSchedule', () => {
  it('fills in options: a cosine is as long as the run', () => {
    expect(resolveSchedule({ name: 'cosine' }, run)).toEqual({
      ...{ name: 'cosineAnnealing', by: 'epoch', tMax: 30, etaMin: 0 },
    });
    expect(resolveSchedule({ name: 'plateau' }, run)).toMatchObject({
      name: 'reduceLrOnPlateau',
      mode: 'max',
    });
    expect(resolveSchedule({ name: 'oneCycle' }, run)).toMatchObject({ totalSteps: 300, by: 'step' });
    expect(resolveSchedule({ name: 'oneCycle', by: 'epoch' }, run)).toMatchObject({ totalSteps: 30 });
  });

  it('leaves the momentum alone where the optimizer has none', () => {
    const adam = { ...run, cyclesMomentum: false };
    expect(resolveSchedule({ name: 'oneCycle' }, run).cycleMomentum).toBe(true);
    expect(resolveSchedule({ name: 'oneCycle' }, adam).cycleMomentum).toBe(false);
    expect(() => resolveSchedule({ name: 'oneCycle', cycleMomentum: true }, adam)).toThrow(UserError);
  });

  it.each<[ScheduleSpec, RegExp]>([
    [{ name: 'cosin' }, /no schedule 'cosin'/],
    [{ name: 'plateau', patients: 3 }, /no option 'patients'/],
    [{ name: 'plateau', factor: 2 }, /factor cannot be 2/],
    [{ name: 'plateau', by: 'step' }, /goes by epochs/],
    [{ name: 'step', stepSize: 0 }, /stepSize cannot be 0/],
    [{ name: 'step', by: 'batch' }, /by cannot be "batch"/],
    [{ name: 'exponential' }, /lacks the option 'gamma'/],
    [{ name: 'oneCycle', threePhase: true, pctStart: 0.6 }, /pctStart cannot be 0.6/],
    [{ name: 'step', warmup: { epochs: 1, steps: 10 } }, /warmup.*either epochs or steps/],
    [{ name: 'step', warmup: { epochs: 0.5 } }, /epochs cannot be 0.5/],
    [{ name: 'step', warmup: { steps: 5, by: 'epoch' } }, /by cannot be "epoch"/],
    [{ name: 'step', warmup: { epoch: 5 } }, /no option 'epoch'/],
    [{ name: 'sequential', schedules: [{ name: 'step' }], milestones: [5] }, /milestones cannot be \[5\]/],
    [
      { name: 'sequential', schedules: Array(3).fill({ name: 'step' }), milestones: [5, 5] },
      /milestones cannot be/,
    ],
    [{ name: 'sequential', schedules: [{ name: 'stap' }], milestones: [] }, /no schedule 'stap'/],
  ])('refuses %j', (spec, message) => {
    expect(() => resolveSchedule(spec, run)).toThrow(message);
  });
});

describe('parseSchedule', () => {
  it.each<[string, ScheduleSpec]>([
    ['plateau', { name: 'plateau' }],
    ['cosine, tMax=5,etaMin=1e-5', { name: 'cosine', tMax: 5, etaMin: 1e-5 }],
    ['multiStep,milestones=3+6', { name: 'multiStep', milestones: [3, 6] }],
    [
      'oneCycle,threePhase=true,annealStrategy=linear',
      { name: 'oneCycle', threePhase: true, annealStrategy: 'linear' },
    ],
    ['cosine,etaMinAfter=50:1e-7', { name: 'cosine', etaMinAfter: { epoch: 50, etaMin: 1e-7 } }],
    ['step,warmup=5', { name: 'step', warmup: { epochs: 5 } }],
    ['step,warmup=5:0.01:step', { name: 'step', warmup: { epochs: 5, startFactor: 0.01, by: 'step' } }],
    ['step,warmup=500steps', { name: 'step', warmup: { steps: 500 } }],
    [
      'constant until 10 then cosine,tMax=5 until 50 then plateau',
      {
        name: 'sequential',
        schedules: [{ name: 'constant' }, { name: 'cosine', tMax: 5 }, { name: 'plateau' }],
        milestones: [10, 50],
      },
    ],
  ])('reads %s', (text, spec) => {
    expect(parseSchedule(text)).toEqual(spec);
    expect(() => resolveSchedule(spec, { epochs: 90, stepsPerEpoch: 10 })).not.toThrow();
  });

  it.each(['cosine,5', 'cosine until fifty then step', 'cosine until 5'])('refuses %s', (text) => {
    expect(() => parseSchedule(text)).toThrow(UserError);
  });
});

/** Options that are in range, for every schedule. */
const single: fc.Arbitrary<ScheduleSpec> = fc
  .tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    fc.double({ min: 0, max: 0.5, noNaN: true }),
    fc.constantFrom('epoch', 'step'),
    fc.boolean(),
  )
  .chain(([count, share, least, by, flag]) =>
    fc.constantFrom<ScheduleSpec>(
      { name: 'constant', by },
      { name: 'reduceLrOnPlateau', factor: share, patience: count % 5, minLr: least, cooldown: count % 3 },
      { name: 'step', by, stepSize: count, gamma: share },
      { name: 'multiStep', by, milestones: [count, count + 3, count], gamma: share },
      { name: 'exponential', by, gamma: share },
      { name: 'linear', by, startFactor: share, endFactor: least, totalIters: count },
      { name: 'polynomial', by, totalIters: count, power: 4 * share },
      { name: 'cosineAnnealing', by, tMax: count, etaMin: least },
      { name: 'cosineAnnealing', by, tMax: count, etaMin: 0, etaMinAfter: { epoch: count, etaMin: least } },
      { name: 'cosineAnnealing', by, tMax: count, etaMin: least, etaMinAfter: { epoch: 7, etaMin: 0 } },
      { name: 'cosineAnnealingWarmRestarts', by, t0: count, tMult: 1 + (count % 3), etaMin: least },
      { name: 'oneCycle', by, totalSteps: count, pctStart: share, annealStrategy: flag ? 'cos' : 'linear' },
      {
        name: 'oneCycle',
        by,
        totalSteps: 3 * count,
        pctStart: share / 2,
        threePhase: true,
        cycleMomentum: flag,
      },
    ),
  );

const warmed = fc
  .tuple(
    single,
    fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    fc.constantFrom('epoch', 'step'),
  )
  .map(([spec, epochs, by]) => (epochs === undefined ? spec : { ...spec, warmup: { epochs, by } }));

const any: fc.Arbitrary<ScheduleSpec> = fc.oneof(
  warmed,
  fc
    .tuple(
      fc.array(warmed, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('epoch', 'step'),
    )
    .map(([schedules, milestone, by]) => ({
      ...{ name: 'sequential', by, schedules },
      milestones: schedules.slice(1).map((_, index) => (index + 1) * milestone),
    })),
);

describe('any schedule', () => {
  it('goes on from its state as JSON as if it had not been saved, with rates that are numbers of 0 and above', () => {
    fc.assert(
      fc.property(
        any,
        fc.array(fc.nat(25), { maxLength: 4 }),
        fc.nat(9),
        fc.infiniteStream(fc.nat(100)),
        (spec, stops, within, metrics) => {
          const whole = make(spec);
          let resumed = make(JSON.parse(JSON.stringify(resolveSchedule(spec, run))));
          for (let epoch = 0; epoch < 26; epoch++) {
            const { learningRate, momentum = 0 } = whole;
            for (const value of [learningRate, momentum])
              expect(value >= 0 && Number.isFinite(value)).toBe(true);
            whole.advance(run.stepsPerEpoch);
            resumed.advance(within);
            if (stops.includes(epoch)) resumed = make(spec, { saved: resumed });
            resumed.advance(run.stepsPerEpoch - within);
            const metric = metrics.next().value;
            for (const schedule of [whole, resumed]) schedule.endEpoch(metric);
            expect(resumed.save()).toEqual(whole.save());
            expect(resumed.span(3)).toEqual(whole.span(3));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not fall below 0 by rounding', () => {
    for (let totalIters = 2; totalIters < 50; totalIters++) {
      const spec = { name: 'linear', startFactor: 0.99, endFactor: 1e-114, totalIters };
      for (const rate of epochsOf(make(spec), 50)) expect(rate).toBeGreaterThan(0);
    }
  });

  it('may be followed by any other', () => {
    fc.assert(
      fc.property(any, any, fc.nat(20), fc.nat(9), (first, second, epochs, steps) => {
        const before = make(first);
        epochsOf(before, epochs);
        before.advance(steps);
        const after = new Schedule(resolveSchedule(second, run), {
          ...{ baseRate: 0.2, stepsPerEpoch: run.stepsPerEpoch },
          saved: before.save(),
          done: { epochs, steps },
        });
        after.rebase();
        for (const rate of epochsOf(after, 10)) expect(rate >= 0 && Number.isFinite(rate)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
