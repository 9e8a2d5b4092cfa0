import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillNormal } from './normal.js';
import { permutation } from './permutation.js';
import { fillUint32, philox4x32, philoxKey, randomPurpose } from './philox.js';
import { RandomStream } from './random-stream.js';

/** Known answers of the authors' library Random123: counter, key, result of philox4x32 with 10 rounds. */
const knownAnswers: ReadonlyArray<readonly [string, string, string]> = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
];

function words(text: string): number[] {
  return text.split(' ').map((word) => Number.parseInt(word, 16));
}

/** Philox4x32-10 said with 64-bit integers, word for word as in the paper. */
function reference(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [a, b, c, d] = counter.map((word) => BigInt(word >>> 0)) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map((word) => BigInt(word >>> 0)) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p = a * 0xd2511f53n;
    const q = c * 0xcd9e8d57n;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k0, q & mask, (p >> 32n) ^ d ^ k1, p & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [a, b, c, d].map(Number);
}

const word = fc.integer({ min: 0, max: 0xffffffff });
const counterOf = fc.tuple(word, word, word, word);
const keyOf = fc.tuple(word, word);

describe('philox4x32', () => {
  it.each(knownAnswers)('gives the known answer at counter %s', (counter, key, answer) => {
    const out = new Uint32Array(6);
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = words(counter);
    const [k0 = 0, k1 = 0] = words(key);
    philox4x32(out, 1, [k0, k1], c0, c1, c2, c3);
    expect([...out]).toEqual([0, ...words(answer), 0]);
  });

  it('agrees with 64-bit arithmetic anywhere', () => {
    const out = new Uint32Array(4);
    fc.assert(
      fc.property(counterOf, keyOf, (counter, key) => {
        philox4x32(out, 0, key, ...counter);
        expect([...out]).toEqual(reference(counter, key));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('philoxKey', () => {
  it('splits a seed into two words', () => {
    expect(philoxKey(7)).toEqual([7, 0]);
    expect(philoxKey(2 ** 53 - 1)).toEqual([0xffffffff, 0x1fffff]);
    expect(philoxKey(-1)).toEqual([0xffffffff, 0xffffffff]);
    expect(philoxKey([-1, 2 ** 31])).toEqual([0xffffffff, 0x80000000]);
  });

  it('refuses what is not a safe integer', () => {
    for (const seed of [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => philoxKey(seed)).toThrow(RangeError);
    }
  });
});

describe('fillUint32', () => {
  it('gives the blocks one after the other at every length, from any block on', () => {
    fc.assert(
      fc.property(fc.tuple(word, word, word), keyOf, fc.nat(70), fc.nat(9), (place, key, length, from) => {
        const out = new Uint32Array(length);
        fillUint32(out, Int32Array.from(key), place, from);
        const expected: number[] = [];
        for (let block = from; expected.length < length; block++) {
          expected.push(...reference([block, ...place], key));
        }
        expect([...out]).toEqual(expected.slice(0, length));
      }),
    );
  });
});

describe('RandomStream', () => {
  it('depends on seed, purpose and place only', () => {
    const draw = (seed: number, purpose: number, a: number, b: number): number[] => {
      const random = new RandomStream(seed, purpose);
      random.seek(9, 9);
      random.uint32();
      random.seek(a, b);
      return Array.from({ length: 11 }, () => random.uint32());
    };
    const base = draw(1, 2, 3, 4);
    expect(draw(1, 2, 3, 4)).toEqual(base);
    const others = [draw(2, 2, 3, 4), draw(1, 3, 3, 4), draw(1, 2, 4, 4), draw(1, 2, 3, 5), draw(1, 2, 4, 3)];
    const seen = new Set([base, ...others].flat());
    expect(seen.size).toBe(66);
  });

  it('draws whole numbers below n, all equally often', () => {
    const random = new RandomStream(5, 1);
    // above 2^31 a plain remainder would give the lower third twice as often
    const n = 3 * 2 ** 30;
    const thirds = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) {
      const value = random.below(n);
      expect(value >= 0 && value < n && Number.isInteger(value)).toBe(true);
      const third = Math.floor((value / n) * 3);
      thirds[third] = (thirds[third] ?? 0) + 1;
    }
    for (const count of thirds) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(random.below(1)).toBe(0);
    expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it('draws uniform and normal numbers with the right moments', () => {
    const random = new RandomStream(11, 1);
    const moments = (draw: () => number): [number, number, number] => {
      const values = Array.from({ length: 40_000 }, draw);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const central = (power: number): number =>
        values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
      return [mean, central(2), central(4)];
    };
    const [mean, variance] = moments(() => random.uniform());
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
    const [normalMean, normalVariance, normalFourth] = moments(() => random.normal());
    expect(Math.abs(normalMean)).toBeLessThan(0.02);
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.03);
    expect(Math.abs(normalFourth - 3)).toBeLessThan(0.25);
  });
});

describe('fillNormal', () => {
  it('draws element for element from the row of words, with the mean and deviation asked for', () => {
    const key = philoxKey(3);
    const place = [1, 7, randomPurpose.initialWeights] as const;
    const whole = new Float32Array(10_001);
    fillNormal(whole, key, place, { mean: 2, std: 0.5 });
    const words = new Uint32Array(20_002);
    fillUint32(words, key, place);
    for (const i of [0, 1, 4095, 4096, 10_000]) {
      const radius = Math.sqrt(-2 * Math.log(((words[2 * i] ?? 0) + 1) / 2 ** 32));
      const angle = (2 * Math.PI * (words[2 * i + 1] ?? 0)) / 2 ** 32;
      expect(whole[i]).toBeCloseTo(2 + 0.5 * radius * Math.cos(angle), 5);
    }
    const mean = whole.reduce((a, b) => a + b) / whole.length;
    const variance = whole.reduce((sum, value) => sum + (value - mean) ** 2, 0) / whole.length;
    expect(Math.abs(mean - 2)).toBeLessThan(0.02);
    expect(Math.abs(Math.sqrt(variance) - 0.5)).toBeLessThan(0.01);
  });
});

describe('permutation', () => {
  it('holds every number once, whatever the seed and epoch', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.maxSafeInteger(), fc.nat(1000), (n, seed, epoch) => {
        const order = permutation(n, seed, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('repeats itself for (seed, epoch) and changes with either', () => {
    expect(permutation(100, 1, 2)).toEqual(permutation(100, 1, 2));
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 1, 3));
    expect(permutation(100, 1, 2)).not.toEqual(permutation(100, 2, 2));
  });

  it('puts every number at every place about equally often', () => {
    const times = 6000;
    const counts = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
    for (let epoch = 0; epoch < times; epoch++) {
      permutation(6, 0, epoch).forEach((value, place) => {
        const row = counts[place] ?? [];
        row[value] = (row[value] ?? 0) + 1;
      });
    }
    for (const count of counts.flat()) expect(Math.abs(count - times / 6)).toBeLessThan(150);
  });

  it('refuses a length that is none', () => {
    for (const n of [-1, 1.5, Number.NaN, 2 ** 31]) expect(() => permutation(n, 0, 0)).toThrow(RangeError);
  });
});
