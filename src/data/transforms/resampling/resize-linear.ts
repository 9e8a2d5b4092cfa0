import type { PixelSource } from './resampling.js';
import { ResizeAxis } from './resize-axis.js';
import type { ResizeKernel } from './resize-kernel.js';

/** Weights are whole numbers in units of 2^-11, as in OpenCV. */
const one = 2048;

const makeAxis = (): ResizeAxis =>
  new ResizeAxis(2, (index, source, target, weights, at) => {
    const place = (index + 0.5) * (source / target) - 0.5;
    const first = Math.floor(place);
    weights[at + 1] = Math.round((place - first) * one);
    weights[at] = one - (weights[at + 1] as number);
    return first;
  });

export function resizeLinear(): ResizeKernel {
  const rows = makeAxis();
  const columns = makeAxis();
  /** Two rows of the source, resized along the row, and which ones they are. */
  let upper = new Int32Array(0);
  let lower = new Int32Array(0);
  return {
    rows,
    columns,
    render(source, { width, height }, target) {
      if (upper.length < 3 * width) {
        upper = new Int32Array(6 * width);
        lower = new Int32Array(6 * width);
      }
      let inUpper = Number.NaN;
      let inLower = Number.NaN;
      for (let row = 0; row < height; row++) {
        const a = rows.indices[2 * row] as number;
        const b = rows.indices[2 * row + 1] as number;
        if (inUpper !== a) {
          if (inLower === a) {
            [upper, lower] = [lower, upper];
            inLower = inUpper;
          } else resizeRow(source, a, columns, width, upper);
          inUpper = a;
        }
        if (inLower !== b && a !== b) {
          resizeRow(source, b, columns, width, lower);
          inLower = b;
        }
        const weightA = rows.weights[2 * row] as number;
        const weightB = rows.weights[2 * row + 1] as number;
        mix(upper, weightA, a === b ? upper : lower, weightB, target, 3 * width * row, 3 * width);
      }
    },
  };
}

/** A row of the source, resized, in units of 2^-11. */
function resizeRow(
  { pixels, start }: PixelSource,
  line: number,
  { indices, weights }: ResizeAxis,
  width: number,
  out: Int32Array,
): void {
  const base = start + line;
  for (let column = 0, to = 0; column < width; column++, to += 3) {
    const p = base + (indices[2 * column] as number);
    const q = base + (indices[2 * column + 1] as number);
    const wp = weights[2 * column] as number;
    const wq = weights[2 * column + 1] as number;
    out[to] = (pixels[p] as number) * wp + (pixels[q] as number) * wq;
    out[to + 1] = (pixels[p + 1] as number) * wp + (pixels[q + 1] as number) * wq;
    out[to + 2] = (pixels[p + 2] as number) * wp + (pixels[q + 2] as number) * wq;
  }
}

/** Two rows, mixed with OpenCV's rounding. */
function mix(
  a: Int32Array,
  weightA: number,
  b: Int32Array,
  weightB: number,
  target: Uint8Array,
  at: number,
  count: number,
): void {
  for (let index = 0; index < count; index++) {
    const partA = Math.imul((a[index] as number) >> 4, weightA) >> 16;
    const partB = Math.imul((b[index] as number) >> 4, weightB) >> 16;
    target[at + index] = (partA + partB + 2) >> 2;
  }
}
