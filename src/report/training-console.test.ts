import { expect, it } from 'vitest';
import type { TrainEvent } from '../train/events.js';
import type { LogSettings } from './log-settings.js';
import { ProgressLine, type ProgressStream } from './progress-line.js';
import { trainingConsole } from './training-console.js';

const step = { kind: 'step', phase: 'train', epoch: 1, epochs: 2, step: 1, steps: 9 } as const;
const figures = { loss: 1.5, trainAccuracy: 40, learningRate: 0.01 };
const events: TrainEvent[] = [
  { ...step, ...figures, timed: 1, seconds: 1 },
  {
    kind: 'epoch',
    epochs: 2,
    steps: 9,
    epoch: 1,
    ...figures,
    valLoss: 1,
    valAccuracy: 50,
    valTop5: 90,
    seconds: 2,
  },
  {
    kind: 'checkpoint',
    path: 'runs/a/checkpoints/epoch-0001.safetensors',
    best: true,
    epoch: 3,
    step: 0,
    globalStep: 9,
  },
  { kind: 'learningRate', from: 0.01, to: 0.005 },
  { kind: 'warning', message: 'careful' },
];

function shown(stream: Partial<ProgressStream>, log?: LogSettings): string {
  let text = '';
  const write = (part: string | Uint8Array): boolean => {
    text += String(part);
    return true;
  };
  const { listen, say } = trainingConsole(new ProgressLine({ ...stream, write }), log);
  say('hello');
  for (const event of events) listen(event);
  return text;
}

it('without a terminal it is the log: one line an epoch and one an event, each with its time', () => {
  const lines = shown({}).trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/^\d{4}-\S+Z /, ''))).toEqual([
    'hello',
    'epoch=1, loss=1.5, val acc=50, train acc=40, lr=0.01 (2.0 s)',
    'saved runs/a/checkpoints/epoch-0001.safetensors (the best so far)',
    'learning rate 0.01 -> 0.005',
    'warning: careful',
  ]);
  const json = shown({}, { format: 'json', level: 'warn' }).trimEnd().split('\n');
  expect(json.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['warning']);
});

it('on a terminal epochs look as in the original, and events have the time of day', () => {
  const text = shown({ isTTY: true, columns: 0 });
  // a terminal that says 0 columns has 80
  expect(text).toContain('\r\u001b[2K 11%|█');
  expect(text).toMatch(/ 11%\|█░+\| 1\/9 .{30,}…/);
  expect(text).toContain('100%|██████████| 9/9 [2.0 s<0.0 s, 4.50 batches/s, epoch=1, loss=1.5, val acc=50');
  expect(text).toMatch(/\d\d:\d\d:\d\d {2}saved runs\/a/);
  expect(text).toMatch(/\d\d:\d\d:\d\d {2}learning rate 0.01 -> 0.005\n/);
});

it('on a terminal the level holds, too', () => {
  const text = shown({ isTTY: true }, { level: 'warn' });
  expect(text).toMatch(/^hello\n\d\d:\d\d:\d\d {2}warning: careful\n$/);
});
