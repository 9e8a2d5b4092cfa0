import { expect, test } from 'vitest';
import { epochText, paceText } from './training-line.js';

const figures = { epoch: 1, loss: 5.30179, valAccuracy: 7.5468, trainAccuracy: 5.333, learningRate: 0.01 };

test("an epoch in the original's words", () => {
  expect(epochText(figures)).toBe('epoch=1, loss=5.3018, val acc=7.547, train acc=5.333, lr=0.01');
  expect(epochText({ ...figures, valAccuracy: 12.12, learningRate: 0.01 * 0.5 ** 3 })).toBe(
    'epoch=1, loss=5.3018, val acc=12.12, train acc=5.333, lr=0.00125',
  );
  expect(epochText({ ...figures, valAccuracy: null })).toContain('val acc=–');
  const { valAccuracy, ...running } = figures;
  expect(epochText(running)).toBe('epoch=1, loss=5.3018, train acc=5.333, lr=0.01');
  expect(epochText({ ...figures, loss: null })).toContain('loss=–');
  expect(epochText({ ...figures, waited: 0.0199 })).toBe(epochText(figures));
  expect(epochText({ ...figures, waited: 0.123 })).toMatch(/lr=0\.01, waited for pictures 12 %$/);
});

test('a bar with rate and remaining time', () => {
  expect(paceText({ done: 191, total: 191, unit: 'batches', seconds: 53.4 }, 'x')).toBe(
    '100%|██████████| 191/191 [53 s<0.0 s, 3.58 batches/s, x]',
  );
  expect(paceText({ done: 50, total: 200, unit: 'batches', seconds: 10, timed: 25 }, 'x')).toBe(
    ' 25%|███░░░░░░░| 50/200 [10 s<1:00, 2.50 batches/s, x]',
  );
  expect(paceText({ done: 0, total: 5, unit: 'batches', seconds: 0 }, 'x')).toContain('– batches/s');
});
