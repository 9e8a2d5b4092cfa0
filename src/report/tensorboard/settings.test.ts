import { describe, expect, it } from 'vitest';
import { hyperParameters, settingsTable } from './settings.js';

const config = {
  data: '/pictures',
  model: { family: 'resnet', stages: [[32, 1]] },
  learningRate: 0.01,
  optimizer: { kind: 'sgd', nesterov: true },
  workers: 3,
  threads: undefined,
  milestones: [30, 60],
};

describe('hyperParameters', () => {
  it('are the settings that decide what is learned, each under its own name', () => {
    expect(hyperParameters('resnet26', config)).toEqual({
      model: { stringValue: 'resnet26' },
      learningRate: { numberValue: 0.01 },
      'optimizer.kind': { stringValue: 'sgd' },
      'optimizer.nesterov': { boolValue: true },
      milestones: { stringValue: '[30,60]' },
    });
  });
});

describe('settingsTable', () => {
  it('is a table in markdown of all that was set', () => {
    expect(settingsTable(config).split('\n')).toEqual([
      '| setting | value |',
      '| --- | --- |',
      '| data | `/pictures` |',
      '| model.family | `resnet` |',
      '| model.stages | `[[32,1]]` |',
      '| learningRate | `0.01` |',
      '| optimizer.kind | `sgd` |',
      '| optimizer.nesterov | `true` |',
      '| workers | `3` |',
      '| milestones | `[30,60]` |',
    ]);
  });

  it.each([
    ['a|b', '`a\\|b`'],
    ['a `quoted` one', '`` a `quoted` one ``'],
    ['two\nlines', '`two lines`'],
  ])('shows %j as it is', (data, shown) => {
    expect(settingsTable({ data })).toContain(`| data | ${shown} |`);
  });
});
