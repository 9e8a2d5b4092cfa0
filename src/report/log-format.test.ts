import { expect, it } from 'vitest';
import type { TrainEvent } from '../train/events.js';
import { lineFormat } from './log-format.js';
import { logRecord } from './log-record.js';

const event: TrainEvent = { kind: 'rejected', file: 'train/a.jpg', reason: 'cut\noff' };
const lines = (...options: Parameters<typeof lineFormat>): Array<string | undefined> => {
  const format = lineFormat(...options);
  const events: TrainEvent[] = [
    { kind: 'checkpoint', path: 'c', best: true, epoch: 3, step: 0, globalStep: 9 },
    event,
  ];
  return events.map((each) => format(logRecord(each)!));
};

it('text is a time and one line', () => {
  const [saved, rejected] = lines();
  expect(saved).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z saved c \(the best so far\)\n$/);
  expect(rejected).toMatch(/^\S+Z rejected train\/a\.jpg: cut off\n$/);
});

it('JSON is an object a line, with what a program wants to know', () => {
  const [saved = '', rejected = ''] = lines({ format: 'json' });
  expect(JSON.parse(saved)).toEqual({
    ...{
      level: 'info',
      event: 'saved',
      path: 'c',
      best: true,
      epoch: 3,
      step: 0,
      globalStep: 9,
      msg: 'saved c (the best so far)',
    },
    time: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  expect(JSON.parse(rejected)).toMatchObject({ level: 'warn', event: 'rejected', file: 'train/a.jpg' });
  expect(rejected.match(/\n/g)).toHaveLength(1);
});

it.each(['text', 'json'] as const)('the level holds for %s', (format) => {
  expect(lines({ format, level: 'warn' })).toEqual([undefined, expect.stringContaining('rejected')]);
  expect(lines({ format, level: 'silent' })).toEqual([undefined, undefined]);
  expect(lines({ format, level: 'debug' })).not.toContain(undefined);
});

it('learning rates have four digits', () => {
  const change: TrainEvent = { kind: 'learningRate', from: 0.05, to: 0.04668412874 };
  expect(logRecord(change)?.text).toBe('learning rate 0.05 -> 0.04668');
});

it('steps are not logged', () => {
  expect(logRecord({ kind: 'step' } as TrainEvent)).toBeUndefined();
});
