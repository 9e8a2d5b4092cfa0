import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digest, digestError, fill, fnv1a, labels } from './formula.js';

interface FormulaCase {
  name: string;
  hash: number;
  count: number;
  scale: number;
  offset: number;
  first: number[];
  last: number[];
  digest?: number[];
}

interface FormulaFile {
  cases: FormulaCase[];
  labels: { first: number; classes: number; values: number[] };
}

const file: FormulaFile = JSON.parse(readFileSync(new URL('./formula.json', import.meta.url), 'utf8'));

describe('the formula of the golden files', () => {
  it.each(file.cases)('draws "$name" as Python does', (golden) => {
    expect(fnv1a(golden.name)).toBe(golden.hash);
    const values = fill(golden.name, golden.count, golden.scale, golden.offset);
    expect([...values.subarray(0, 5)]).toEqual(golden.first);
    expect(golden.count ? [...values.subarray(-5)] : []).toEqual(golden.last);
    if (!golden.digest) return;
    const error = digestError(digest(golden.name, values), golden.digest, golden.count);
    expect(Math.max(error.norm, error.dot, error.sample)).toBeLessThan(1e-6);
  });

  it('draws values of the wanted mean and standard deviation', () => {
    const values = fill('moments', 100_000, 0.5, 2);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(2, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
  });

  it('labels samples as Python does', () => {
    const { first, classes, values } = file.labels;
    expect([...labels(first, values.length, classes)]).toEqual(values);
  });

  it('sees one wrong element anywhere, a swap and a missing sample', () => {
    const values = fill('stem.conv.weight', 9408);
    const expected = digest('stem.conv.weight', values);
    for (const index of [0, 4711, 9407]) {
      const wrong = values.slice();
      wrong[index] = (wrong[index] as number) + 0.5;
      expect(digestError(digest('stem.conv.weight', wrong), expected, 9408).dot).toBeGreaterThan(1e-6);
    }
    const swapped = values.slice();
    swapped[1] = values[2] as number;
    swapped[2] = values[1] as number;
    expect(digestError(digest('stem.conv.weight', swapped), expected, 9408).dot).toBeGreaterThan(1e-4);
    expect(digestError(expected.slice(0, 9), expected, 9408).sample).toBeNaN();
  });
});
