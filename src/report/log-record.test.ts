import { expect, it } from 'vitest';
import { logRecord } from './log-record.js';

it('steps that were left out are counted, these and all of the run', () => {
  const record = logRecord({ kind: 'skipped', steps: 2, total: 9, scale: 16_384 });
  expect(record).toEqual({
    ...{ level: 'info', event: 'skipped', fields: { steps: 2, total: 9, scale: 16_384 } },
    text: 'skipped 2 steps (9 in all) whose gradient was infinite: loss scale 16384',
  });
  expect(logRecord({ kind: 'skipped', steps: 1, total: 1, scale: 32_768 })?.text).toMatch(
    /^skipped 1 step \(/,
  );
});

it('an epoch is logged with the share of waiting, however small', () => {
  const record = logRecord({
    ...{ kind: 'epoch', epoch: 2, epochs: 9, steps: 4, seconds: 10, learningRate: 0.1, waited: 0.004 },
    ...{ loss: 1, trainAccuracy: 50, valLoss: null, valAccuracy: null, valTop5: null },
  });
  expect(record?.text).toBe(
    'epoch=2, loss=1, val acc=–, train acc=50, lr=0.1 (10.0 s, 0.4 % of it waiting for pictures)',
  );
  expect(record?.fields).toMatchObject({ waited: 0.004 });
});
