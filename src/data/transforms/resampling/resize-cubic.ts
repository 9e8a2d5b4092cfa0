import { setCubicWeights } from './cubic-weights.js';
import type { PixelSource } from './resampling.js';
import { ResizeAxis } from './resize-axis.js';
import type { ResizeKernel } from './resize-kernel.js';

const makeAxis = (): ResizeAxis =>
  new ResizeAxis(4, (index, source, target, weights, at) => {
    const place = (index + 0.5) * (source / target) - 0.5;
    const second = Math.floor(place);
    setCubicWeights(place - second, weights, at);
    return second - 1;
  });

/** Rows of the source, resized along the row; row number y is in slot y & 3. */
class ResizedRows {
  #slots = [0, 1, 2, 3].map(() => new Float64Array(0));
  readonly #held = new Int32Array(4);
  readonly #columns: ResizeAxis;

  constructor(columns: ResizeAxis) {
    this.#columns = columns;
  }

  /** Forgets the rows of another picture. */
  begin(width: number): void {
    if ((this.#slots[0] as Float64Array).length < 3 * width) {
      this.#slots = this.#slots.map(() => new Float64Array(6 * width));
    }
    this.#held.fill(-1);
  }

  /** @param line place of the row among the source's, in bytes */
  get(source: PixelSource, line: number, width: number): Float64Array {
    const row = line / source.stride;
    const slot = this.#slots[row & 3] as Float64Array;
    if (this.#held[row & 3] !== row) resizeRow(source, line, this.#columns, width, slot);
    this.#held[row & 3] = row;
    return slot;
  }
}

export function resizeCubic(): ResizeKernel {
  const rows = makeAxis();
  const columns = makeAxis();
  const resized = new ResizedRows(columns);
  return {
    rows,
    columns,
    render(source, { width, height }, target) {
      resized.begin(width);
      const { indices, weights } = rows;
      for (let row = 0, at = 0; row < height; row++, at += 4) {
        mix(
          resized.get(source, indices[at] as number, width),
          resized.get(source, indices[at + 1] as number, width),
          resized.get(source, indices[at + 2] as number, width),
          resized.get(source, indices[at + 3] as number, width),
          weights,
          at,
          target,
          3 * width * row,
          3 * width,
        );
      }
    },
  };
}

function resizeRow(
  { pixels, start }: PixelSource,
  line: number,
  { indices, weights }: ResizeAxis,
  width: number,
  out: Float64Array,
): void {
  const base = start + line;
  for (let column = 0, at = 0, to = 0; column < width; column++, at += 4, to += 3) {
    const p = base + (indices[at] as number);
    const q = base + (indices[at + 1] as number);
    const r = base + (indices[at + 2] as number);
    const s = base + (indices[at + 3] as number);
    for (let channel = 0; channel < 3; channel++) {
      out[to + channel] =
        (weights[at] as number) * (pixels[p + channel] as number) +
        (weights[at + 1] as number) * (pixels[q + channel] as number) +
        (weights[at + 2] as number) * (pixels[r + channel] as number) +
        (weights[at + 3] as number) * (pixels[s + channel] as number);
    }
  }
}

function mix(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  d: Float64Array,
  weights: Float64Array,
  at: number,
  target: Uint8Array,
  to: number,
  count: number,
): void {
  const wa = weights[at] as number;
  const wb = weights[at + 1] as number;
  const wc = weights[at + 2] as number;
  const wd = weights[at + 3] as number;
  for (let index = 0; index < count; index++) {
    const sum =
      wa * (a[index] as number) +
      wb * (b[index] as number) +
      wc * (c[index] as number) +
      wd * (d[index] as number);
    target[to + index] = Math.max(0, Math.min(255, sum + 0.5));
  }
}
