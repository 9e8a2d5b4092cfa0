import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byCodePoint } from './code-point-order.js';
import { drawFor, splitPictures, validationCount } from './split.js';

const classes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 });
const part = fc.double({ min: 0, max: 0.99, noNaN: true });

function picturesOf(counts: readonly number[], seed: number) {
  return counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({
      label: `${label}`,
      draw: drawFor(seed, `${label}/${i}.png`),
    })),
  );
}

test('every class is split by the part asked for, and keeps a picture on each side', () => {
  fc.assert(
    fc.property(classes, part, fc.nat(), (counts, valSplit, seed) => {
      const pictures = picturesOf(counts, seed);
      const validation = splitPictures(pictures, valSplit);
      counts.forEach((count, label) => {
        const mine = validation.filter((_, index) => pictures[index]?.label === `${label}`);
        const val = mine.filter(Boolean).length;
        expect(val).toBe(validationCount(count, valSplit));
        expect(val).toBeLessThan(count);
        if (count > 1 && valSplit > 0) expect(val).toBeGreaterThan(0);
        expect(Math.abs(val - count * valSplit)).toBeLessThanOrEqual(1);
      });
    }),
  );
});

test('leaving a picture out moves at most one other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), part, (count, out, valSplit) => {
      const pictures = picturesOf([count], 7);
      const before = splitPictures(pictures, valSplit);
      const gone = out % count;
      const after = splitPictures(
        pictures.map((picture, index) => (index === gone ? undefined : picture)),
        valSplit,
      );
      const moved = before.filter((value, index) => index !== gone && value !== after[index]).length;
      expect(moved).toBeLessThanOrEqual(1);
    }),
  );
});

test('draws depend on seed and path, and names are 32 hexadecimal digits', () => {
  expect(drawFor(1, 'a/b.png')).toEqual(drawFor(1, 'a/b.png'));
  expect(drawFor(1, 'a/b.png').name).toMatch(/^[0-9a-f]{32}$/);
  const names = [drawFor(1, 'a/b.png'), drawFor(2, 'a/b.png'), drawFor(1, 'a/c.png'), drawFor(11, '/b.png')];
  expect(new Set(names.map(({ name }) => name)).size).toBe(4);
});

test('code point order is that of UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(['\u{1f600}', '\uff5e', 'z', 'Z', 'é'].sort(byCodePoint)).toEqual([
    'Z',
    'z',
    'é',
    '\uff5e',
    '\u{1f600}',
  ]);
});
