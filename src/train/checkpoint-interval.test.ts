import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkpointIntervalSetting, parseInterval, SavePlan } from './checkpoint-interval.js';

describe('an interval', () => {
  it.each([
    [1, { every: 1, unit: 'epochs' }],
    ['5', { every: 5, unit: 'epochs' }],
    ['5epochs', { every: 5, unit: 'epochs' }],
    ['1 epoch', { every: 1, unit: 'epochs' }],
    ['200steps', { every: 200, unit: 'steps' }],
    ['1step', { every: 1, unit: 'steps' }],
    ['10min', { every: 10, unit: 'minutes' }],
    ['0.5 Minutes', { every: 0.5, unit: 'minutes' }],
  ] as const)('%j is read', (setting, interval) => {
    expect(parseInterval(setting)).toEqual(interval);
  });

  it.each([
    0,
    -1,
    1.5,
    Number.NaN,
    '',
    'min',
    '0steps',
    '1.5steps',
    '0min',
    '-5min',
    '5 potatoes',
    '1e3',
    '5m5',
  ])('%j is none', (setting) => {
    expect(parseInterval(setting)).toBeUndefined();
    expect(checkpointIntervalSetting.safeParse(setting).error?.issues[0]?.message).toContain('10min');
  });
});

/** Walks through a training as the trainer does. @returns the batches after which it saved */
function walk(plan: SavePlan, { epochs, steps, onStep = () => {} }: Walk): number[] {
  const saves: number[] = [];
  let globalStep = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let step = 0; step < steps; ) {
      const { batches, milliseconds } = plan.untilDue({ globalStep });
      const span = Math.min(steps - step, batches);
      let left = milliseconds;
      for (let done = 0; done < span && (done === 0 || left > 0); done++) {
        left -= 1000;
        onStep();
        step += 1;
        globalStep += 1;
      }
      if (step < steps && plan.dueWithin({ globalStep })) saves.push(globalStep);
      if (saves.at(-1) === globalStep) plan.passed();
    }
    if (plan.dueAfter({ epoch, globalStep })) {
      saves.push(globalStep);
      plan.passed();
    }
  }
  return saves;
}

interface Walk {
  epochs: number;
  steps: number;
  onStep?: () => void;
}

describe('a plan of saves', () => {
  it('by steps saves after each of their multiples, whatever the length of an epoch', () => {
    const small = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(small, small, small, (every, epochs, steps) => {
        const multiples = Array.from(
          { length: Math.floor((epochs * steps) / every) },
          (_, i) => (i + 1) * every,
        );
        expect(walk(new SavePlan(`${every}steps`), { epochs, steps })).toEqual(multiples);
      }),
    );
  });

  it('by epochs saves at their ends only', () => {
    expect(walk(new SavePlan(2), { epochs: 5, steps: 7 })).toEqual([14, 28]);
  });

  it('by minutes saves as soon as they are over, in an epoch or at its end', () => {
    let now = 0;
    const plan = new SavePlan('0.1min', () => now);
    const onStep = (): void => {
      now += 1000;
    };
    // each batch takes a second
    expect(walk(plan, { epochs: 3, steps: 8, onStep })).toEqual([6, 12, 18, 24]);
  });
});
