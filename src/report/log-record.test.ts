import { expect, it } from 'vitest';
import { logRecord } from './log-record.js';

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
