import { expect, it } from 'vitest';
import { computingText } from './computing-text.js';

const usual = { engine: 'onednn', devices: ['cpu'], precision: 'fp32', ranks: 1 };

it('names what a training runs on, and leaves out what is usual', () => {
  expect(computingText(usual)).toBe('onednn');
  expect(computingText({ ...usual, devices: ['cpu', 'cpu'], ranks: 4 })).toBe('onednn on cpu:2, 4 ranks');
  expect(computingText({ ...usual, engine: 'torch' })).toBe('torch on cpu');
  expect(computingText({ engine: 'torch', devices: ['cuda:0', 'cuda:1'], precision: 'fp16', ranks: 1 })).toBe(
    'torch on cuda:0+cuda:1, fp16',
  );
});
