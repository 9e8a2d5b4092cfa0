import type { Picture } from './picture.js';

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
  /** Weight of the middle and of each distance from it. */
  #weights = new Float64Array(0);
  #radius = 0;
  /** A row with its mirrored ends. */
  #line = new Float64Array(0);
  #ring = new Float64Array(0);
  #sums = new Float64Array(0);

  apply(picture: Picture, kernel: GaussianKernel): void {
    this.#setKernel(kernel);
    const radius = this.#radius;
    if (radius === 0) return;
    const { width, height } = picture;
    const rowLength = width * 3;
    const ringRows = Math.min(height, 2 * radius + 1);
    this.#line = grown(this.#line, rowLength + 6 * radius);
    this.#ring = grown(this.#ring, ringRows * rowLength);
    this.#sums = grown(this.#sums, rowLength);
    for (let row = 0, ready = 0; row < height; row++) {
      for (; ready < height && ready <= row + radius; ready++) {
        this.#blurAlong(picture, ready, (ready % ringRows) * rowLength);
      }
      this.#sumUp(row, height, ringRows, rowLength);
      this.#store(picture, row);
    }
  }

  #setKernel({ sigma, size }: GaussianKernel): void {
    this.#radius = sigma > 0 ? (size === 0 ? Math.trunc(sigma * 3.5) : size >> 1) : 0;
    this.#weights = grown(this.#weights, this.#radius + 1);
    const weights = this.#weights;
    let sum = 0;
    for (let at = 0; at <= this.#radius; at++) {
      const weight = Math.exp(-0.5 * (at / sigma) ** 2);
      weights[at] = weight;
      sum += at === 0 ? weight : 2 * weight;
    }
    for (let at = 0; at <= this.#radius; at++) weights[at] = (weights[at] as number) / sum;
  }

  /** Blurs a row of the picture along itself, into the ring from index `to` on. */
  #blurAlong(picture: Picture, row: number, to: number): void {
    const radius = this.#radius;
    const weights = this.#weights;
    const line = this.#line;
    const ring = this.#ring;
    const rowLength = picture.width * 3;
    this.#loadLine(picture, row);
    const middle = weights[0] as number;
    const first = 3 * radius;
    for (let at = 0; at < rowLength; at++) {
      const center = first + at;
      let sum = middle * (line[center] as number);
      for (let tap = 1, distance = 3; tap <= radius; tap++, distance += 3) {
        sum +=
          (weights[tap] as number) *
          ((line[center - distance] as number) + (line[center + distance] as number));
      }
      ring[to + at] = sum;
    }
  }

  #loadLine({ pixels, offset, stride, width }: Picture, row: number): void {
    const line = this.#line;
    const start = offset + row * stride;
    const first = 3 * this.#radius;
    for (let at = 0; at < width * 3; at++) line[first + at] = pixels[start + at] as number;
    for (let beyond = 1; beyond <= this.#radius; beyond++) {
      for (const [column, inside] of [
        [-beyond, mirrored(-beyond, width)],
        [width - 1 + beyond, mirrored(width - 1 + beyond, width)],
      ] as const) {
        for (let channel = 0; channel < 3; channel++) {
          line[first + 3 * column + channel] = pixels[start + 3 * inside + channel] as number;
        }
      }
    }
  }

  /** Weighs the rows around `row` in the ring and adds them up. */
  #sumUp(row: number, height: number, ringRows: number, rowLength: number): void {
    const sums = this.#sums;
    const ring = this.#ring;
    const middle = this.#weights[0] as number;
    const own = (row % ringRows) * rowLength;
    // the half rounds, since storing a byte cuts off the fraction
    for (let at = 0; at < rowLength; at++) sums[at] = middle * (ring[own + at] as number) + 0.5;
    for (let tap = 1; tap <= this.#radius; tap++) {
      const weight = this.#weights[tap] as number;
      const above = (mirrored(row - tap, height) % ringRows) * rowLength;
      const below = (mirrored(row + tap, height) % ringRows) * rowLength;
      for (let at = 0; at < rowLength; at++) {
        sums[at] =
          (sums[at] as number) + weight * ((ring[above + at] as number) + (ring[below + at] as number));
      }
    }
  }

  #store({ pixels, offset, stride, width }: Picture, row: number): void {
    const sums = this.#sums;
    const start = offset + row * stride;
    for (let at = 0; at < width * 3; at++) pixels[start + at] = sums[at] as number;
  }
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
