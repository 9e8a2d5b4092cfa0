import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { histogramOf } from './histogram.js';

describe('histogramOf', () => {
  it('counts numbers between the limits', () => {
    const { bucketLimit, bucket, ...rest } = histogramOf(Float32Array.of(-1, 0.5, 0.5, 0.53, 1.2)) ?? {};
    expect(rest).toMatchObject({ num: 5, min: -1, max: Math.fround(1.2) });
    expect(bucketLimit).toEqual([-1.125, -1, 0.5, 0.5625, 1.125, 1.25]);
    expect(bucket).toEqual([0, 1, 0, 3, 0, 1]);
  });

  it('puts zeros and what is tiny beside the largest into one bucket', () => {
    const { bucketLimit, bucket } = histogramOf(Float32Array.of(0, -0, 1e-9, -1e-30, 1)) ?? {};
    expect(bucket).toEqual([0, 4, 0, 1]);
    expect(bucketLimit?.[1]).toBeGreaterThan(0);
    expect(bucketLimit?.[0]).toBe(-(bucketLimit?.[1] ?? 0));
  });

  it('counts zeros alone', () => {
    const { bucketLimit, bucket } = histogramOf(new Float32Array(7)) ?? {};
    expect(bucket?.reduce((a, b) => a + b)).toBe(7);
    expect(bucketLimit).toEqual(bucketLimit?.toSorted((a, b) => a - b));
  });

  it('leaves out what is no finite number', () => {
    expect(histogramOf(Float32Array.of(Number.NaN, Infinity, -Infinity, 2))).toMatchObject({
      num: 1,
      sum: 2,
    });
    expect(histogramOf(Float32Array.of(Number.NaN))).toBeUndefined();
    expect(histogramOf(new Float32Array(0))).toBeUndefined();
  });

  it('has rising limits around all numbers, with each number in its bucket', () => {
    const number = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 60 }), (numbers) => {
        const values = Float32Array.from(numbers);
        const found = histogramOf(values);
        if (!found) throw new Error('nothing counted');
        const { bucketLimit: limits, bucket: counts, num, min, max } = found;
        expect(limits).toHaveLength(counts.length);
        expect(limits.every((limit, index) => index === 0 || limit > (limits[index - 1] ?? limit))).toBe(
          true,
        );
        expect(counts.reduce((a, b) => a + b)).toBe(values.length);
        expect(num).toBe(values.length);
        expect(limits[0]).toBeLessThanOrEqual(min);
        expect(limits.at(-1)).toBeGreaterThanOrEqual(max);
        const within = (from: number, to: number): number =>
          values.filter((value) => value > from && value < to).length;
        counts.forEach((count, index) => {
          if (index === 0) expect(count).toBe(0);
          else expect(count).toBeGreaterThanOrEqual(within(limits[index - 1] ?? 0, limits[index] ?? 0));
        });
      }),
    );
  });
});
