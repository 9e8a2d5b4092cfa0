/**
 * The formula by which the golden files' weights, images and labels are drawn, the same to the bit as
 * `python/formula.py`, and the digests by which large tensors are compared.
 */

/** FNV-1a, 32 bits, of the UTF-8 bytes of a tensor's name: the tensor's number in the formula. */
export function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Draws element after element of the named tensor, uniform in `offset ± scale·√3`, each rounded to float32. */
function drawer(name: string, scale: number, offset: number): (index: number) => number {
  const base = (Math.imul(Math.imul(fnv1a(name), 40503), 65537) + 12345) | 0;
  const width = Math.sqrt(3);
  return (index) => {
    let x = (Math.imul(index, 2654435761) + base) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x ^= x >>> 16;
    const u = (x >>> 0) / 2 ** 32 - 0.5;
    return Math.fround(Math.fround(scale * (2 * u * width)) + offset);
  };
}

/** `count` values of the tensor called `name`, in row-major order, of standard deviation `scale` around `offset`. */
export function fill(name: string, count: number, scale = 1, offset = 0): Float32Array {
  const draw = drawer(name, scale, offset);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = draw(index);
  return values;
}

/** Classes of the samples `first`, `first + 1`, ... */
export function labels(first: number, count: number, classes: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => ((first + index) * 7 + 3) % classes);
}

/** `[norm, dot product with the probe of that name, eight samples]`, as the golden files hold it. */
export type Digest = readonly number[];

const samples = 8;

/** What a golden file keeps of the tensor `name`, computed in double precision. */
export function digest(name: string, values: Float32Array | Float64Array): Digest {
  const probe = drawer(`probe:${name}`, 1, 0);
  let square = 0;
  let dot = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    square += value * value;
    dot += value * probe(index);
  }
  const sampled = Array.from(
    { length: samples },
    (_, j) => values[Math.floor(((2 * j + 1) * values.length) / (2 * samples))] as number,
  );
  return [Math.sqrt(square), dot, ...sampled];
}

/** How far a digest lies from the expected one, each figure relative to the size of the tensor's values. */
export interface DigestError {
  /** Of the norm, relative to the norm. */
  norm: number;
  /** Of the dot product, relative to the norm: about the relative error of the whole tensor. */
  dot: number;
  /** The largest of a sample, relative to the root mean square of the tensor's values. */
  sample: number;
}

/** Compares the digests of two tensors of `count` elements; a zero tensor is compared absolutely. */
export function digestError(actual: Digest, expected: Digest, count: number): DigestError {
  const size = expected[0] || 1;
  const differences = expected.map((value, index) => Math.abs((actual[index] ?? Number.NaN) - value));
  const [norm = Number.NaN, dot = Number.NaN, ...sampled] = differences;
  return {
    norm: norm / size,
    dot: dot / size,
    sample: Math.max(...sampled) / (size / Math.sqrt(count)),
  };
}
