import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Resizer } from './resizer.js';

function resizer(): Resizer {
  const made = Resizer.create();
  if (!made) throw new Error('this processor has no 128-bit SIMD');
  return made;
}

/** One axis of an antialiased Catmull-Rom resize in floating point, straight from its definition. */
function reference(source: number[], target: number): number[] {
  const scale = source.length / target;
  const stretch = Math.max(1, scale);
  const kernel = (x: number): number => {
    const d = Math.abs(x);
    if (d < 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
    return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
  };
  return Array.from({ length: target }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const weights = source.map((_, k) => kernel((k + 0.5 - centre) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    const value = source.reduce((total, pixel, k) => total + (pixel * (weights[k] ?? 0)) / sum, 0);
    return Math.min(255, Math.max(0, value));
  });
}

/** Columns of every row, then rows of every column, per channel. */
function referenceResize(
  pixels: Uint8Array,
  [width, height]: [number, number],
  [toWidth, toHeight]: [number, number],
): number[] {
  const result = new Array<number>(toWidth * toHeight * 4).fill(0);
  for (let channel = 0; channel < 4; channel++) {
    const columns = Array.from({ length: width }, (_, x) =>
      reference(
        Array.from({ length: height }, (_, y) => pixels[(y * width + x) * 4 + channel] ?? 0),
        toHeight,
      ),
    );
    for (let y = 0; y < toHeight; y++) {
      const row = reference(
        columns.map((column) => Math.round(column[y] ?? 0)),
        toWidth,
      );
      for (let x = 0; x < toWidth; x++) result[(y * toWidth + x) * 4 + channel] = row[x] ?? 0;
    }
  }
  return result;
}

const side = fc.integer({ min: 1, max: 28 });

test('agrees with the definition in floating point, for any sizes', () => {
  const shared = resizer();
  const input = fc.tuple(side, side).chain(([width, height]) =>
    fc.record({
      size: fc.constant<[number, number]>([width, height]),
      pixels: fc.uint8Array({ minLength: width * height * 4, maxLength: width * height * 4 }),
      target: fc.tuple(side, side),
    }),
  );
  fc.assert(
    fc.property(input, ({ size, pixels, target }) => {
      shared.source(...size).set(pixels);
      const got = shared.resize(...size, ...target);
      const expected = referenceResize(pixels, size, target);
      expect(got.length).toBe(expected.length);
      // weights have 14 bits, and a value that lies on the half may round either way in the first pass
      got.forEach((value, index) => {
        expect(Math.abs(value - (expected[index] ?? -9))).toBeLessThan(1.7);
      });
    }),
    { numRuns: 80 },
  );
});

test('the same size gives the same pixels, and a flat picture stays flat', () => {
  const shared = resizer();
  fc.assert(
    fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (w, h, toW, toH, level) => {
      const source = shared.source(w, h);
      source.forEach((_, index) => {
        source[index] = (index * 37) & 255;
      });
      const copy = Buffer.from(source);
      expect(shared.resize(w, h, w, h).equals(copy)).toBe(true);
      shared.source(w, h).fill(level);
      expect(new Set(shared.resize(w, h, toW, toH))).toEqual(new Set([level]));
    }),
  );
});

test('grows for large pictures after small ones', () => {
  const shared = resizer();
  shared.source(2, 2).fill(9);
  shared.resize(2, 2, 3, 3);
  shared.source(1500, 900).fill(200);
  expect(new Set(shared.resize(1500, 900, 213, 128))).toEqual(new Set([200]));
});
