/**
 * Weighted sums of rows of numbers, the inner loops of a blur. Each pass takes several taps, which spares loads and
 * stores of the sums; pairs of taps that lie 3 apart (neighbours of one channel) need fewer registers than pairs
 * anywhere.
 */

/**
 * sums[from + i] = weights[0] * values[middle + i] + weights[1] * (values[middle + i - 3] + values[middle + i + 3]) ...
 * @param count of weights: 3, 7, 11 ...
 */
export function sumAlong(
  sums: Float64Array,
  from: number,
  length: number,
  values: Float64Array,
  middle: number,
  weights: Float64Array,
  count: number,
): void {
  startAlong(sums, from, length, values, middle, weights);
  for (let tap = 3; tap < count; tap += 4) {
    addAlong(sums, from, length, values, middle - 3 * tap, middle + 3 * tap, weights, tap);
  }
}

function startAlong(
  sums: Float64Array,
  from: number,
  length: number,
  values: Float64Array,
  middle: number,
  weights: Float64Array,
): void {
  const w0 = weights[0] as number;
  const w1 = weights[1] as number;
  const w2 = weights[2] as number;
  for (let at = 0; at < length; at++) {
    const i = middle + at;
    sums[from + at] =
      w0 * (values[i] as number) +
      w1 * ((values[i - 3] as number) + (values[i + 3] as number)) +
      w2 * ((values[i - 6] as number) + (values[i + 6] as number));
  }
}

function addAlong(
  sums: Float64Array,
  from: number,
  length: number,
  values: Float64Array,
  before: number,
  after: number,
  weights: Float64Array,
  tap: number,
): void {
  const w0 = weights[tap] as number;
  const w1 = weights[tap + 1] as number;
  const w2 = weights[tap + 2] as number;
  const w3 = weights[tap + 3] as number;
  for (let at = 0; at < length; at++) {
    const i = before + at;
    const j = after + at;
    sums[from + at] =
      (sums[from + at] as number) +
      w0 * ((values[i] as number) + (values[j] as number)) +
      w1 * ((values[i - 3] as number) + (values[j + 3] as number)) +
      w2 * ((values[i - 6] as number) + (values[j + 6] as number)) +
      w3 * ((values[i - 9] as number) + (values[j + 9] as number));
  }
}

/**
 * Like `sumAlong`, and 0.5 for rounding; the values of tap t begin at before[t] and after[t], those of the middle
 * at before[0].
 */
export function sumAcross(
  sums: Float64Array,
  length: number,
  values: Float64Array,
  before: Int32Array,
  after: Int32Array,
  weights: Float64Array,
  count: number,
): void {
  startAcross(sums, length, values, before, after, weights);
  for (let tap = 3; tap < count; tap += 4) addAcross(sums, length, values, before, after, weights, tap);
}

function startAcross(
  sums: Float64Array,
  length: number,
  values: Float64Array,
  before: Int32Array,
  after: Int32Array,
  weights: Float64Array,
): void {
  const m = before[0] as number;
  const b1 = before[1] as number;
  const a1 = after[1] as number;
  const b2 = before[2] as number;
  const a2 = after[2] as number;
  const w0 = weights[0] as number;
  const w1 = weights[1] as number;
  const w2 = weights[2] as number;
  for (let at = 0; at < length; at++) {
    sums[at] =
      0.5 +
      w0 * (values[m + at] as number) +
      w1 * ((values[b1 + at] as number) + (values[a1 + at] as number)) +
      w2 * ((values[b2 + at] as number) + (values[a2 + at] as number));
  }
}

function addAcross(
  sums: Float64Array,
  length: number,
  values: Float64Array,
  before: Int32Array,
  after: Int32Array,
  weights: Float64Array,
  tap: number,
): void {
  const b0 = before[tap] as number;
  const a0 = after[tap] as number;
  const b1 = before[tap + 1] as number;
  const a1 = after[tap + 1] as number;
  const b2 = before[tap + 2] as number;
  const a2 = after[tap + 2] as number;
  const b3 = before[tap + 3] as number;
  const a3 = after[tap + 3] as number;
  const w0 = weights[tap] as number;
  const w1 = weights[tap + 1] as number;
  const w2 = weights[tap + 2] as number;
  const w3 = weights[tap + 3] as number;
  for (let at = 0; at < length; at++) {
    sums[at] =
      (sums[at] as number) +
      w0 * ((values[b0 + at] as number) + (values[a0 + at] as number)) +
      w1 * ((values[b1 + at] as number) + (values[a1 + at] as number)) +
      w2 * ((values[b2 + at] as number) + (values[a2 + at] as number)) +
      w3 * ((values[b3 + at] as number) + (values[a3 + at] as number));
  }
}
