import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** One case of a golden file made by PyTorch; see test/golden/README.md. */
export interface GoldenCase {
  readonly id: string;
  readonly op: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
}

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Reads test/golden/FILE, a .safetensors whose metadata lists the cases. */
export function readGolden(file: string): GoldenCase[] {
  const bytes = readFileSync(goldenPath(file));
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Record<string, unknown>;
  const cases = JSON.parse((header.__metadata__ as { cases: string }).cases) as Array<{
    id: string;
    op: string;
    attributes: Record<string, unknown>;
    tensors: Record<string, string>;
  }>;
  const tensor = (name: string): GoldenTensor => {
    const entry = header[name] as Entry;
    const [start, end] = entry.data_offsets;
    const data = new Uint8Array(bytes.subarray(headerEnd + start, headerEnd + end)).buffer;
    return {
      shape: entry.shape,
      data: entry.dtype === 'I32' ? new Int32Array(data) : new Float32Array(data),
    };
  };
  return cases.map(({ tensors, ...rest }) => ({
    ...rest,
    tensors: new Map(Object.entries(tensors).map(([role, name]) => [role, tensor(name)])),
  }));
}

export function goldenPath(file: string): URL {
  return new URL(`../../../test/golden/${file}`, import.meta.url);
}

/** Largest difference over the largest expected magnitude. */
export function relativeError(actual: Float32Array, expected: ArrayLike<number>): number {
  let difference = 0;
  let magnitude = 0;
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs((actual[index] ?? Number.NaN) - (expected[index] ?? 0));
    if (!(error <= difference)) difference = error;
    magnitude = Math.max(magnitude, Math.abs(expected[index] ?? 0));
  }
  return difference / Math.max(magnitude, 1e-30);
}

/** Fails with the name of what differs. */
export function expectClose(
  what: string,
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  const error = relativeError(actual, expected);
  expect(error <= tolerance, `${what}: relative error ${error} above ${tolerance}`).toBe(true);
}
