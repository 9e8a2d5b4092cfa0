import { expect, it } from 'vitest';
import { crowdedWarning } from './crowded.js';

const warning = (threads: number, cores: number, busy: number) =>
  crowdedWarning({ threads, cores, measure: async () => busy });

it('suggests fewer threads where others are at work', async () => {
  expect(await warning(2, 2, 1.06)).toBe(
    'other processes keep 1.1 of 2 cores busy, and threads wait for the slowest: --threads 1 is likely faster than 2',
  );
  expect(await warning(8, 8, 2.9)).toMatch(/--threads 5 .* than 8$/);
  expect(await warning(2, 2, 2)).toMatch(/--threads 1 /);
});

it('says nothing where there is room, or one thread only', async () => {
  expect(await warning(2, 2, 0.3)).toBeUndefined();
  expect(await warning(4, 8, 3.9)).toBeUndefined();
  expect(await warning(1, 2, 2)).toBeUndefined();
});
