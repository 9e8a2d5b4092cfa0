import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometryOf, maximumAspect } from './geometry.js';

const length = fc.integer({ min: 1, max: 5000 });
const sides = fc
  .tuple(length, length)
  .filter(([a, b]) => Math.max(a, b) <= maximumAspect * Math.min(a, b))
  .map(([width, height]) => ({ width, height }));
const target = fc.integer({ min: 1, max: 600 });

test('a length is the smaller side, and the shape is kept', () => {
  fc.assert(
    fc.property(sides, target, (source, size) => {
      const { resized, kept } = geometryOf(source, { size, centerCrop: false });
      expect(Math.min(resized.width, resized.height)).toBe(size);
      const exact = (size * Math.max(source.width, source.height)) / Math.min(source.width, source.height);
      expect(Math.abs(Math.max(resized.width, resized.height) - exact)).toBeLessThanOrEqual(0.5);
      expect(kept).toEqual({ left: 0, top: 0, ...resized });
    }),
  );
});

test('an exact size is taken as it is; with a centre crop it lies in the middle of a covering picture', () => {
  fc.assert(
    fc.property(sides, target, target, (source, width, height) => {
      expect(geometryOf(source, { size: { width, height }, centerCrop: false }).resized).toEqual({
        width,
        height,
      });
      const { resized, kept } = geometryOf(source, { size: { width, height }, centerCrop: true });
      expect([kept.width, kept.height]).toEqual([width, height]);
      expect(Math.min(resized.width - width, resized.height - height)).toBe(0);
      expect(Math.abs(resized.width - width - 2 * kept.left)).toBeLessThanOrEqual(1);
      expect(Math.abs(resized.height - height - 2 * kept.top)).toBeLessThanOrEqual(1);
    }),
  );
});
