import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceHash, hasContrast, hashDistance, looksTheSame, mostDifferentBits } from './fingerprint.js';

const thumbnail = fc.uint8Array({ minLength: 72, maxLength: 72 });

describe('differenceHash', () => {
  it('is the same for a picture that is only brighter', () => {
    fc.assert(
      fc.property(thumbnail, fc.integer({ min: 1, max: 100 }), (grey, by) => {
        const dim = grey.map((level) => level >> 1);
        expect(differenceHash(dim.map((level) => level + by))).toEqual(differenceHash(dim));
      }),
    );
  });

  it('has one bit for each pair of neighbours', () => {
    const rising = Uint8Array.from({ length: 72 }, (_, index) => (index % 9) * 10);
    expect([...differenceHash(rising)]).toEqual([0xffff, 0xffff, 0xffff, 0xffff]);
    expect([...differenceHash(rising.map((level) => 100 - level))]).toEqual([0, 0, 0, 0]);
    const one = new Uint8Array(72);
    one.fill(50, 8, 9);
    expect([...differenceHash(one)]).toEqual([1 << 7, 0, 0, 0]);
  });

  it('is at a distance that counts the bits', () => {
    fc.assert(
      fc.property(thumbnail, thumbnail, (a, b) => {
        const [first, second] = [differenceHash(a), differenceHash(b)];
        const bits = (hash: Uint16Array): string =>
          [...hash].map((band) => band.toString(2).padStart(16, '0')).join('');
        const [left, right] = [bits(first), bits(second)];
        const differing = [...left].filter((bit, index) => bit !== right[index]).length;
        expect(hashDistance(first, second)).toBe(differing);
        // so that looking at equal bands misses no near pair
        if (differing <= mostDifferentBits) expect(first.some((band, at) => band === second[at])).toBe(true);
      }),
    );
  });
});

describe('thumbnails', () => {
  const ramp = Uint8Array.from({ length: 256 }, (_, index) => index);

  it('look the same within a few levels', () => {
    expect(
      looksTheSame(
        ramp,
        ramp.map((level) => Math.min(255, level + 5)),
      ),
    ).toBe(true);
    expect(
      looksTheSame(
        ramp,
        ramp.map((level) => 255 - level),
      ),
    ).toBe(false);
  });

  it('have contrast or none', () => {
    expect(hasContrast(ramp)).toBe(true);
    expect(hasContrast(new Uint8Array(256).fill(255))).toBe(false);
  });
});
