import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byCodePoint } from './code-point-order.js';
import { drawBytes, drawInto, splitPictures, validationCount } from './split.js';

const classSizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 });
const part = fc.double({ min: 0, max: 0.99, noNaN: true });

function picturesOf(counts: readonly number[], seed: number) {
  const classes = Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label)));
  const draws = Buffer.alloc(classes.length * drawBytes);
  for (const [index, label] of classes.entries()) drawInto(draws, index, seed, `${label}/${index}.png`);
  return { length: classes.length, classes, draws, isIn: (_index: number) => true };
}

function draw(seed: number, file: string): string {
  const draws = Buffer.alloc(drawBytes);
  drawInto(draws, 0, seed, file);
  return draws.toString('hex');
}

test('every class is split by the part asked for, and keeps a picture on each side', () => {
  fc.assert(
    fc.property(classSizes, part, fc.nat(), (counts, valSplit, seed) => {
      const pictures = picturesOf(counts, seed);
      const validation = splitPictures(pictures, valSplit);
      counts.forEach((count, label) => {
        const val = validation.filter((one, index) => one === 1 && pictures.classes[index] === label).length;
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
      const after = splitPictures({ ...pictures, isIn: (index) => index !== gone }, valSplit);
      expect(after[gone]).toBe(0);
      const moved = before.filter((value, index) => index !== gone && value !== after[index]).length;
      expect(moved).toBeLessThanOrEqual(1);
    }),
  );
});

test('draws depend on seed and path', () => {
  expect(draw(1, 'a/b.png')).toBe(draw(1, 'a/b.png'));
  const draws = [draw(1, 'a/b.png'), draw(2, 'a/b.png'), draw(1, 'a/c.png'), draw(11, '/b.png')];
  expect(new Set(draws).size).toBe(4);
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
