import type { Picture } from './picture.js';
import { sumAcross, sumAlong } from './taps.js';

/** Standard deviation in pixels, and number of taps: odd (an even one counts as the next), 0 by sigma. */
export interface GaussianKernel {
  readonly sigma: number;
  readonly size: number;
}

/**
 * Gaussian blur in place: each row is blurred along itself into a ring of rows, out of which the rows above are
 * summed up once all that they need are there. Beyond the edges the picture is mirrored at its outermost
 * pixels (gfedcb|abcdefgh|gfedcba).
 */
export class SeparableBlur {
  /** Distance of the last tap that counts. */
  #radius = 0;
  /** Weights by distance from the middle; `#count` of them are used: 3, 7, 11 ..., the last ones 0. */
  #weights = new Float64Array(0);
  #count = 0;
  /** Where in the ring the taps above and below the middle lie, by distance. */
  #above = new Int32Array(0);
  #below = new Int32Array(0);
  /** A row with its mirrored ends. */
  #line = new Float64Array(0);
  #ring = new Float64Array(0);
  #ringRows = 0;
  #sums = new Float64Array(0);

  apply(picture: Picture, kernel: GaussianKernel): void {
    this.#setKernel(kernel);
    const radius = this.#radius;
    if (radius === 0) return;
    const { height } = picture;
    const rowLength = picture.width * 3;
    this.#ringRows = Math.min(height, 2 * radius + 1);
    this.#line = grown(this.#line, rowLength + 6 * this.#count);
    this.#ring = grown(this.#ring, this.#ringRows * rowLength);
    this.#sums = grown(this.#sums, rowLength);
    for (let row = 0, ready = 0; row < height; row++) {
      for (; ready < height && ready <= row + radius; ready++) this.#blurAlong(picture, ready);
      this.#blurAcross(picture, row);
    }
  }

  #setKernel({ sigma, size }: GaussianKernel): void {
    const radius = sigma > 0 ? (size === 0 ? Math.trunc(sigma * 3.5) : size >> 1) : 0;
    const count = 3 + 4 * Math.max(0, Math.ceil((radius - 2) / 4));
    this.#radius = radius;
    this.#count = count;
    if (this.#weights.length < count) {
      this.#weights = new Float64Array(count);
      this.#above = new Int32Array(count);
      this.#below = new Int32Array(count);
    }
    const weights = this.#weights;
    let sum = 0;
    for (let distance = 0; distance < count; distance++) {
      const weight = distance > radius ? 0 : Math.exp(-0.5 * (distance / sigma) ** 2);
      weights[distance] = weight;
      sum += distance === 0 ? weight : 2 * weight;
    }
    for (let distance = 0; distance < count; distance++) {
      weights[distance] = (weights[distance] as number) / sum;
    }
  }

  /** Blurs a row of the picture along itself into the ring. */
  #blurAlong(picture: Picture, row: number): void {
    const length = picture.width * 3;
    const first = 3 * this.#count;
    fillLine(this.#line, picture, row, first, this.#radius);
    const to = this.#placeOf(row, length);
    sumAlong(this.#ring, to, length, this.#line, first, this.#weights, this.#count);
  }

  /** Where a row lies in the ring. */
  #placeOf(row: number, length: number): number {
    return (row % this.#ringRows) * length;
  }

  /** Blurs a row across, out of the rows around it in the ring, and writes it to the picture. */
  #blurAcross({ pixels, offset, stride, width, height }: Picture, row: number): void {
    const sums = this.#sums;
    const length = width * 3;
    for (let distance = 0; distance < this.#count; distance++) {
      // a tap that does not count may lie anywhere
      const reach = Math.min(distance, this.#radius);
      this.#above[distance] = this.#placeOf(mirrored(row - reach, height), length);
      this.#below[distance] = this.#placeOf(mirrored(row + reach, height), length);
    }
    sumAcross(sums, length, this.#ring, this.#above, this.#below, this.#weights, this.#count);
    toBytes(sums, length, pixels, offset + row * stride);
  }
}

/** Fills the line with a row of the picture, from `first` on, and `ends` mirrored pixels to each side. */
function fillLine(
  line: Float64Array,
  { pixels, offset, stride, width }: Picture,
  row: number,
  first: number,
  ends: number,
): void {
  toNumbers(pixels, offset + row * stride, width * 3, line, first);
  for (let beyond = 1; beyond <= ends; beyond++) {
    copyPixel(line, first + 3 * mirrored(-beyond, width), first - 3 * beyond);
    const right = width - 1 + beyond;
    copyPixel(line, first + 3 * mirrored(right, width), first + 3 * right);
  }
}

function copyPixel(line: Float64Array, from: number, to: number): void {
  line[to] = line[from] as number;
  line[to + 1] = line[from + 1] as number;
  line[to + 2] = line[from + 2] as number;
}

function toNumbers(bytes: Uint8Array, from: number, length: number, numbers: Float64Array, to: number): void {
  for (let at = 0; at < length; at++) numbers[to + at] = bytes[from + at] as number;
}

/** Cuts the fractions off; numbers from 0 to below 256. */
function toBytes(numbers: Float64Array, length: number, bytes: Uint8Array, to: number): void {
  for (let at = 0; at < length; at++) bytes[to + at] = (numbers[at] as number) | 0;
}

/** The index within 0 to length - 1 that mirroring at the outermost ones, as often as it takes, leads to. */
function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  let at = index;
  while (at < 0 || at >= length) at = at < 0 ? -at : 2 * (length - 1) - at;
  return at;
}

function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  return array.length >= length ? array : new Float64Array(Math.ceil(length * 1.25));
}
