import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TrainStep } from './events.js';
import { LoaderThreads, mostLoaderThreads, threadsFor } from './loader-threads.js';

const step = (given: Partial<TrainStep>): TrainStep => ({
  ...{ kind: 'step', phase: 'train', epoch: 1, epochs: 2, step: 1, steps: 100, timed: 1, seconds: 1 },
  ...{ loss: 1, trainAccuracy: 50, learningRate: 0.1, waited: 0 },
  ...given,
});

function tried(options: { pictureMs: number; pictures?: number; limit?: number }) {
  const [grown, said]: [number[], string[]] = [[], []];
  const { pictureMs, pictures = 32, limit = 8 } = options;
  const threads = new LoaderThreads({
    loader: {
      effort: { pictures: 50, milliseconds: 50 * pictureMs },
      grow: (workers) => void grown.push(workers),
    },
    ...{ pictures, limit, say: (text) => void said.push(text) },
  });
  return { threads, grown, said };
}

test('threads are chosen once, from the steps after the first ones, without their waiting', () => {
  const { threads, grown, said } = tried({ pictureMs: 10 });
  // 9 s of warming up count nothing
  threads.listen(step({ timed: 1, seconds: 10, waited: 0.1 }));
  threads.listen(step({ timed: 3, seconds: 12, waited: 0.25 }));
  expect(grown).toEqual([]);
  // busy for 9.6 s of 16 s: 4 steps since the first in 0.6 s
  threads.listen(step({ timed: 5, seconds: 16, waited: 0.4 }));
  expect(grown).toEqual([3]);
  expect(said).toEqual(['loader threads: 3 of at most 8 (10 ms a picture, 150 ms a step of 32 pictures)']);
  for (let timed = 6; timed < 20; timed++) threads.listen(step({ timed, seconds: 30 }));
  expect(grown).toEqual([3]);
});

test('steps of short epochs are added up, and validation counts nothing', () => {
  const { threads, grown } = tried({ pictureMs: 10 });
  for (const epoch of [1, 2]) {
    threads.listen(step({ epoch, timed: 1, seconds: 5 }));
    threads.listen(step({ epoch, timed: 3, seconds: 5.64 }));
    threads.listen(step({ epoch, phase: 'validate', timed: 9, seconds: 90 }));
    if (epoch === 1) expect(grown).toEqual([]);
  }
  // 320 ms a step: 1.2 threads' worth of work
  expect(grown).toEqual([2]);
});

test('as many threads as make a step of pictures in the time of a step, within the limit', () => {
  expect(threadsFor({ pictureMs: 2, stepMs: 1000, pictures: 64, limit: 16 })).toBe(1);
  expect(threadsFor({ pictureMs: 10, stepMs: 100, pictures: 64, limit: 16 })).toBe(8);
  expect(threadsFor({ pictureMs: 10, stepMs: 100, pictures: 64, limit: 4 })).toBe(4);
  expect(threadsFor({ pictureMs: 10, stepMs: 0, pictures: 64, limit: 4 })).toBe(4);
  const time = fc.double({ min: 0, max: 1e6, noNaN: true });
  const times = fc.record({
    ...{ pictureMs: time, stepMs: time },
    ...{ pictures: fc.integer({ min: 1, max: 4096 }), limit: fc.integer({ min: 1, max: 256 }) },
  });
  fc.assert(
    fc.property(times, (each) => {
      const threads = threadsFor(each);
      expect(Number.isInteger(threads) && threads >= 1 && threads <= each.limit).toBe(true);
    }),
  );
});

test('processes of one machine share its cores', () => {
  expect(mostLoaderThreads(1)).toBeGreaterThanOrEqual(mostLoaderThreads(2));
  expect(mostLoaderThreads(100_000)).toBe(1);
});
