import type { Histogram } from '../messages.js';

/** Bits of a float that say its bucket: sign, exponent, and the first three of the fraction, eight an octave. */
const bucketBits = 12;
const shift = 32 - bucketBits;
const perOctave = 1 << (bucketBits - 9);
/** Numbers so many octaves below the largest share one bucket around zero. */
const octaves = 10;
const signs = 1 << (bucketBits - 1);
/** The first bucket of those that are no finite numbers. */
const infinite = 255 * perOctave;

/**
 * Counts numbers in buckets that grow with their distance from zero; each is read once, by its bits.
 * Those that are NaN or infinite are left out.
 * @returns undefined where no number is left
 */
export function histogramOf(values: Float32Array): Histogram | undefined {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(1 << bucketBits);
  const total = { num: 0, sum: 0, sumSquares: 0, min: Infinity, max: -Infinity };
  for (let index = 0; index < words.length; index++) {
    const bucket = (words[index] as number) >>> shift;
    if (bucket % signs >= infinite) continue;
    const value = values[index] as number;
    counts[bucket] = (counts[bucket] as number) + 1;
    total.num++;
    total.sum += value;
    total.sumSquares += value * value;
    if (value < total.min) total.min = value;
    if (value > total.max) total.max = value;
  }
  return total.num > 0 ? { ...total, ...bucketsOf(counts) } : undefined;
}

/** The filled buckets from the lowest to the highest, and empty ones for the gaps. */
function bucketsOf(counts: Uint32Array): Pick<Histogram, 'bucketLimit' | 'bucket'> {
  const size = (bucket: number): number => (counts[bucket] ?? 0) + (counts[signs + bucket] ?? 0);
  let largest = infinite - 1;
  while (largest > 0 && size(largest) === 0) largest--;
  const least = Math.max(0, largest - octaves * perOctave + 1);
  const bars: Array<{ from: number; to: number; count: number }> = [];
  for (let bucket = largest; bucket >= least; bucket--) {
    bars.push({ from: -edge(bucket + 1), to: -edge(bucket), count: counts[signs + bucket] ?? 0 });
  }
  let small = 0;
  for (let bucket = 0; bucket < least; bucket++) small += size(bucket);
  bars.push({ from: -edge(least), to: edge(least), count: small });
  for (let bucket = least; bucket <= largest; bucket++) {
    bars.push({ from: edge(bucket), to: edge(bucket + 1), count: counts[bucket] ?? 0 });
  }
  return joined(bars.filter(({ count, from, to }) => count > 0 && to > from));
}

function joined(
  bars: ReadonlyArray<{ from: number; to: number; count: number }>,
): Pick<Histogram, 'bucketLimit' | 'bucket'> {
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  for (const { from, to, count } of bars) {
    // the left edge of the first counts as well: without it the bucket would reach to minus infinity
    if (bucketLimit.at(-1) !== from) {
      bucketLimit.push(from);
      bucket.push(0);
    }
    bucketLimit.push(to);
    bucket.push(count);
  }
  return { bucketLimit, bucket };
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The smallest number of a bucket of positive ones. */
function edge(bucket: number): number {
  word[0] = bucket << shift;
  const value = float[0] as number;
  return Number.isFinite(value) ? value : 2 ** 128;
}
