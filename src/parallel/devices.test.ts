import { describe, expect, it } from 'vitest';
import { parseDevices } from './devices.js';

describe('parseDevices', () => {
  it.each([
    ['cpu', ['cpu']],
    ['cpu:3', ['cpu', 'cpu', 'cpu']],
    ['cuda', ['cuda:0']],
    [' CUDA:1, cuda:0', ['cuda:1', 'cuda:0']],
    ['mps', ['mps']],
  ])('%s', (text, devices) => {
    expect(parseDevices(text)).toEqual(devices);
  });

  it.each([
    ['gpu', "'gpu' is none"],
    ['', "'' is none"],
    ['cpu:0', '1 to 64'],
    ['cpu:65', '1 to 64'],
    ['cuda:0,cuda', 'cuda:0 is named twice'],
    ['cuda:x', "'cuda:x' is none"],
  ])('refuses %j', (text, problem) => {
    expect(() => parseDevices(text)).toThrow(problem);
  });
});
