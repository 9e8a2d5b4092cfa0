import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChannelStatistics, pixelSums } from './statistics.js';

test('mean and deviation are those of all pixels together', () => {
  const pictures = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(pictures, (reds) => {
      const statistics = new ChannelStatistics();
      for (const red of reds) {
        const pixels = Uint8Array.from([...red].flatMap((value) => [value, 255 - value, 7]));
        statistics.add(pixelSums(pixels), red.length);
      }
      const all = reds.flatMap((red) => [...red]);
      const mean = all.reduce((a, b) => a + b, 0) / all.length;
      const std = Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length);
      const result = statistics.result();
      expect(result?.mean.R).toBeCloseTo(mean, 9);
      expect(result?.mean.G).toBeCloseTo(255 - mean, 9);
      expect(result?.mean.B).toBe(7);
      expect(result?.std.R).toBeCloseTo(std, 6);
      expect(result?.std.G).toBeCloseTo(std, 6);
      expect(result?.std.B).toBe(0);
    }),
  );
});

test('large white pictures do not overflow', () => {
  const statistics = new ChannelStatistics();
  const white = new Uint8Array(3000 * 2000 * 3).fill(255);
  for (let i = 0; i < 10; i++) statistics.add(pixelSums(white), 3000 * 2000);
  expect(statistics.result()).toEqual({ mean: { R: 255, G: 255, B: 255 }, std: { R: 0, G: 0, B: 0 } });
});

test('nothing counted gives no result', () => {
  expect(new ChannelStatistics().result()).toBeUndefined();
});
