import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { HorizontalFlip } from '../transforms/horizontal-flip.js';
import { Loader } from './loader.js';
import { type LoaderOptions, resolveLoaderOptions } from './options.js';

const good: LoaderOptions = {
  folder: 'data',
  samples: { train: [{ file: 'train/a.jpg', label: 0 }], val: [] },
  mean: [120, 110, 100],
  std: [60, 61, 62],
  batchSize: 8,
  height: 20,
  width: 24,
  seed: 0,
};

describe('resolveLoaderOptions', () => {
  it('fills in crops, flip, validation batch and threads', () => {
    const { transforms, batchSize, slots, workers } = resolveLoaderOptions({ ...good, minSide: 24 });
    expect(transforms).toEqual({
      train: [
        { name: 'RandomCrop', options: { height: 20, width: 24, p: 1 } },
        { name: 'HorizontalFlip', options: { p: 0.5 } },
      ],
      val: [{ name: 'CenterCrop', options: { height: 20, width: 24, p: 1 } }],
    });
    expect(batchSize).toEqual({ train: 8, val: 8 });
    expect(slots).toBe(4);
    expect(workers).toBeGreaterThanOrEqual(1);
    expect(workers).toBeLessThanOrEqual(8);
  });

  it('takes pictures of the exact size without a crop', () => {
    const none = { ...good, trainTransforms: [HorizontalFlip()], valTransforms: [], minSide: 4 };
    expect(() => resolveLoaderOptions(none)).not.toThrow();
  });

  it.each<[string, Partial<LoaderOptions>, RegExp]>([
    ['no workers', { workers: 0 }, /workers .*1 to 256, not 0/],
    ['half a worker', { workers: 1.5 }, /workers .*not 1\.5/],
    ['too many workers', { workers: 100_000 }, /workers/],
    ['no slots', { slots: 0 }, /slots/],
    ['no batch', { batchSize: 0 }, /batch size/],
    ['a batch that is no number', { valBatchSize: Number.NaN }, /validation batch size .*not NaN/],
    ['no crop', { height: 0 }, /crop height/],
    ['a seed that is none', { seed: 0.5 }, /seed/],
    ['a crop above the shortest side', { minSide: 23 }, /crop of 20 x 24 .*shortest side .* is 23/],
    ['a transform that is none', { trainTransforms: [{ name: 'Nothing', options: {} }] }, /Nothing/],
  ])('refuses %s', (_, options, message) => {
    const resolve = (): unknown => resolveLoaderOptions({ ...good, ...options });
    expect(resolve).toThrow(UserError);
    expect(resolve).toThrow(message);
  });
});

describe('Loader.start', () => {
  it('says how much memory was too much', async () => {
    const giant = { ...good, batchSize: 65536, slots: 1024, height: 8192, width: 8192 };
    const failure = await Loader.start(giant).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).message).toMatch(/no memory for 1024 batches of 65536.* GB/);
  });
});
