/**
 * The loops over pixels that a picture passes most often, in AssemblyScript: `npm run build` makes
 * dist/data/transforms/kernels/pixels.wasm of it. Each gives the very bytes that its twin in TypeScript gives
 * (named beside it); the tests compare the two.
 *
 * Addresses are places in the one memory that pictures and these loops share; the first 64 KB are scratch.
 */

/** Where counts lie; src/data/transforms/kernels/pixel-kernels.ts has the same figure. */
const countsAt: usize = 1024;

/** Units of 2^-16 for coordinates, and half a step of the weights: see resampling/warp-linear.ts. */
const unit: f64 = 65536;
const rounding: f64 = 128;
const block: i32 = 64;

/** Math.round of JavaScript: halves go up. */
// @ts-ignore: decorator
@inline
function round(value: f64): f64 {
  const up = ceil<f64>(value);
  return up - 0.5 > value ? up - 1 : up;
}

/** Of two neighbours of three bytes each: the first's red, the second's red, the first's green and so on, as words. */
// @ts-ignore: decorator
@inline
function pairs(neighbours: v128): v128 {
  return v128.swizzle(neighbours, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
}

/** The same of two pixels of four bytes each. */
// @ts-ignore: decorator
@inline
function pairsOfWords(left: u32, right: u32): v128 {
  const both = i64x2.splat(<i64>((<u64>left) | ((<u64>right) << 32)));
  return v128.swizzle(both, i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, -1, -1, -1, -1));
}

/** Weighs two pairs above by `upper` (the first's weight in the low half) and two below by `lower`. */
// @ts-ignore: decorator
@inline
function weigh(above: v128, below: v128, upper: v128, lower: v128): v128 {
  const sum = i32x4.add(i32x4.dot_i16x8_s(above, upper), i32x4.dot_i16x8_s(below, lower));
  return i32x4.shr_u(i32x4.add(sum, i32x4.splat(128)), 8);
}

/** Red, green and blue of a pixel's four lanes as a word. */
// @ts-ignore: decorator
@inline
function wordOf(lanes: v128): u32 {
  const halves = i16x8.narrow_i32x4_u(lanes, lanes);
  return <u32>i32x4.extract_lane(i8x16.narrow_i16x8_u(halves, halves), 0);
}

// @ts-ignore: decorator
@inline
function neighbours(at: usize): v128 {
  return pairs(v128.load64_zero(at));
}

/** The pixel between the neighbours at a place and those a row below. */
// @ts-ignore: decorator
@inline
function pixel(place: i32, stride: i32, upper: v128, lower: v128): v128 {
  return weigh(neighbours(place), neighbours(place + stride), upper, lower);
}

/** `inside` of resampling/warp-linear.ts. `at` is where column 0 goes, `start` where the source begins. */
export function warpInside(
  start: i32,
  step: i32,
  stride: i32,
  at: i32,
  x0: f64,
  slopeX: f64,
  y0: f64,
  slopeY: f64,
  first: i32,
  last: i32,
): void {
  const dx = <i32>round(slopeX * unit);
  const dy = <i32>round(slopeY * unit);
  // two neighbours are read as one word from the one that lies first in memory
  const base = start + min(step, 0);
  const mirrored = step < 0;
  const steps = i32x4.splat(step);
  const strides = i32x4.splat(stride);
  const bases = i32x4.splat(base);
  const bits = i32x4.splat(255);
  const half = i32x4.splat(128);
  const whole = i32x4.splat(256);
  const risesX = i32x4(0, dx, 2 * dx, 3 * dx);
  const risesY = i32x4(0, dy, 2 * dy, 3 * dy);
  let to = at + 3 * first;
  let column = first;
  while (column < last) {
    const begin = column & -block;
    const end = min(last, begin + block);
    const gone = <f64>(column - begin);
    let x = <i32>(round((x0 + slopeX * <f64>begin) * unit) + rounding + <f64>dx * gone);
    let y = <i32>(round((y0 + slopeY * <f64>begin) * unit) + rounding + <f64>dy * gone);
    while (column < end) {
      const xs = i32x4.add(i32x4.splat(x), risesX);
      const ys = i32x4.add(i32x4.splat(y), risesY);
      const fx = v128.and(i32x4.shr_u(xs, 8), bits);
      const fy = v128.and(i32x4.shr_u(ys, 8), bits);
      const ws = i32x4.shr_u(i32x4.add(i32x4.mul(fx, fy), half), 8);
      const wq = i32x4.sub(fx, ws);
      const wr = i32x4.sub(fy, ws);
      const wp = i32x4.sub(i32x4.sub(whole, fx), wr);
      let upper: v128;
      let lower: v128;
      if (mirrored) {
        upper = v128.or(wq, i32x4.shl(wp, 16));
        lower = v128.or(ws, i32x4.shl(wr, 16));
      } else {
        upper = v128.or(wp, i32x4.shl(wq, 16));
        lower = v128.or(wr, i32x4.shl(ws, 16));
      }
      const places = i32x4.add(
        bases,
        i32x4.add(i32x4.mul(i32x4.shr_s(ys, 16), strides), i32x4.mul(i32x4.shr_s(xs, 16), steps)),
      );
      const a = pixel(
        i32x4.extract_lane(places, 0),
        stride,
        v128.shuffle<i32>(upper, upper, 0, 0, 0, 0),
        v128.shuffle<i32>(lower, lower, 0, 0, 0, 0),
      );
      if (column + 4 > end) {
        // the rest of the block one by one: what lies beyond may have no neighbours
        store<u32>(to, wordOf(a));
        column += 1;
        to += 3;
        x += dx;
        y += dy;
        continue;
      }
      const b = pixel(
        i32x4.extract_lane(places, 1),
        stride,
        v128.shuffle<i32>(upper, upper, 1, 1, 1, 1),
        v128.shuffle<i32>(lower, lower, 1, 1, 1, 1),
      );
      const c = pixel(
        i32x4.extract_lane(places, 2),
        stride,
        v128.shuffle<i32>(upper, upper, 2, 2, 2, 2),
        v128.shuffle<i32>(lower, lower, 2, 2, 2, 2),
      );
      const d = pixel(
        i32x4.extract_lane(places, 3),
        stride,
        v128.shuffle<i32>(upper, upper, 3, 3, 3, 3),
        v128.shuffle<i32>(lower, lower, 3, 3, 3, 3),
      );
      const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(a, b), i16x8.narrow_i32x4_u(c, d));
      // four bytes more than the pixels have: what follows is written later
      v128.store(to, v128.swizzle(bytes, i8x16(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
      column += 4;
      to += 12;
      x += 4 * dx;
      y += 4 * dy;
    }
  }
}

// @ts-ignore: decorator
@inline
function clamped(index: f64, length: f64): i32 {
  return <i32>max<f64>(0, min<f64>(length - 1, index));
}

/** `edge` of resampling/warp-linear.ts for `replicate`, and for `constant` with the fill in `word`. */
export function warpEdge(
  start: i32,
  step: i32,
  stride: i32,
  width: f64,
  height: f64,
  at: i32,
  x0: f64,
  slopeX: f64,
  y0: f64,
  slopeY: f64,
  first: i32,
  last: i32,
  constant: bool,
  word: u32,
): void {
  let to = at + 3 * first;
  for (let column = first; column < last; column++, to += 3) {
    const sourceX = x0 + slopeX * <f64>column;
    const sourceY = y0 + slopeY * <f64>column;
    const x = floor<f64>(sourceX);
    const y = floor<f64>(sourceY);
    const left = clamped(x, width) * step;
    const right = clamped(x + 1, width) * step;
    const above = start + clamped(y, height) * stride;
    const below = start + clamped(y + 1, height) * stride;
    let p = load<u32>(above + left);
    let q = load<u32>(above + right);
    let r = load<u32>(below + left);
    let s = load<u32>(below + right);
    if (constant) {
      if (!(x >= 0 && x < width)) p = r = word;
      if (!(x + 1 >= 0 && x + 1 < width)) q = s = word;
      if (!(y >= 0 && y < height)) p = q = word;
      if (!(y + 1 >= 0 && y + 1 < height)) r = s = word;
    }
    const fx = <i32>round((sourceX - x) * 256);
    const fy = <i32>round((sourceY - y) * 256);
    const ws = (fx * fy + 128) >> 8;
    const wr = fy - ws;
    const upper = (256 - fx - wr) | ((fx - ws) << 16);
    const lower = wr | (ws << 16);
    const lanes = weigh(pairsOfWords(p, q), pairsOfWords(r, s), i32x4.splat(upper), i32x4.splat(lower));
    store<u32>(to, wordOf(lanes));
  }
}

// @ts-ignore: decorator
@inline
function count(set: usize, value: u32): void {
  const at = set + ((<usize>value) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Counts the values of red, green and blue: `countChannels` of equalize.ts. */
export function countChannels(start: i32, stride: i32, width: i32, height: i32): void {
  // four sets: neighbours are often alike, and a count cannot go up twice at once
  memory.fill(countsAt, 0, 4 * 3072);
  const rowBytes = 3 * width;
  for (let row = 0; row < height; row++, start += stride) {
    let at = start;
    const end = start + rowBytes;
    for (; at <= end - 12; at += 12) {
      const a = load<u32>(at);
      const b = load<u32>(at, 4);
      const c = load<u32>(at, 8);
      count(countsAt, a & 255);
      count(countsAt + 1024, (a >>> 8) & 255);
      count(countsAt + 2048, (a >>> 16) & 255);
      count(countsAt + 3072, a >>> 24);
      count(countsAt + 4096, b & 255);
      count(countsAt + 5120, (b >>> 8) & 255);
      count(countsAt + 6144, (b >>> 16) & 255);
      count(countsAt + 7168, b >>> 24);
      count(countsAt + 8192, c & 255);
      count(countsAt + 9216, (c >>> 8) & 255);
      count(countsAt + 10240, (c >>> 16) & 255);
      count(countsAt + 11264, c >>> 24);
    }
    for (; at < end; at += 3) {
      count(countsAt, load<u8>(at));
      count(countsAt + 1024, load<u8>(at, 1));
      count(countsAt + 2048, load<u8>(at, 2));
    }
  }
  for (let at = countsAt; at < countsAt + 3072; at += 4) {
    store<u32>(at, load<u32>(at) + load<u32>(at + 3072) + load<u32>(at + 6144) + load<u32>(at + 9216));
  }
}
