import { philox4x32 } from '../../random/philox.js';
import { clampByte } from './clamp-byte.js';
import { normalQuantiles } from './normal-quantiles.js';
import type { Picture } from './picture.js';

/** Normally distributed noise: standard deviation and mean in grey levels, and the random words it grows from. */
export interface Noise {
  readonly sigma: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

interface NoiseOptions {
  readonly perChannel: boolean;
  /** Above 0; below 1 the noise is drawn for a picture smaller by that factor and enlarged. */
  readonly noiseScaleFactor: number;
}

/** Adds noise to pictures, with buffers that are used again. Of each term the whole part counts. */
export class NoiseMap {
  readonly #channels: number;
  readonly #factor: number;
  readonly #quantiles = normalQuantiles();
  readonly #key = new Uint32Array(2);
  readonly #seed = new Uint32Array(4);
  /** Noise of one row, or of the whole smaller picture. */
  #values = new Float32Array(0);
  #row = new Float32Array(0);
  #enlarged = new Float32Array(0);

  constructor({ perChannel, noiseScaleFactor }: NoiseOptions) {
    this.#channels = perChannel ? 3 : 1;
    this.#factor = noiseScaleFactor;
  }

  addTo(picture: Picture, noise: Noise): void {
    const { width, height } = picture;
    this.#key[0] = noise.low;
    this.#key[1] = noise.high;
    if (this.#factor === 1) {
      this.#values = grown(this.#values, width * this.#channels);
      for (let row = 0; row < height; row++) {
        this.#draw(row, 0, width * this.#channels, noise);
        addToRow(picture, row, this.#values, this.#channels);
      }
      return;
    }
    const small = {
      width: Math.max(1, Math.trunc(width * this.#factor)),
      height: Math.max(1, Math.trunc(height * this.#factor)),
    };
    const count = small.width * this.#channels;
    this.#values = grown(this.#values, small.height * count);
    for (let row = 0; row < small.height; row++) this.#draw(row, row * count, count, noise);
    this.addEnlarged(picture, this.#values, small);
  }

  /** Enlarges a smaller picture of noise to the picture's size (linearly, between centres) and adds it. */
  addEnlarged(picture: Picture, values: Float32Array, small: { width: number; height: number }): void {
    const channels = this.#channels;
    const count = small.width * channels;
    this.#row = grown(this.#row, count);
    this.#enlarged = grown(this.#enlarged, picture.width * channels);
    const enlarged = this.#enlarged;
    for (let row = 0; row < picture.height; row++) {
      const y = center(row, picture.height, small.height);
      const upper = Math.floor(y);
      const lower = Math.min(upper + 1, small.height - 1);
      blend(values, upper * count, lower * count, y - upper, this.#row, count);
      enlargeRow(this.#row, small.width, enlarged, picture.width, channels);
      addToRow(picture, row, enlarged, channels);
    }
  }

  /** Draws `count` values for a row to `#values` from index `at` on. */
  #draw(row: number, at: number, count: number, { sigma, mean }: Noise): void {
    const seed = this.#seed;
    philox4x32(seed, 0, this.#key, row, 0, 0, 0);
    const quantiles = this.#quantiles;
    const values = this.#values;
    // sfc32, a small fast generator, goes on from the row's own place in Philox's numbers
    let a = (seed[0] as number) | 0;
    let b = (seed[1] as number) | 0;
    let c = (seed[2] as number) | 0;
    for (let index = at, counter = 1; index < at + count; index += 2, counter++) {
      const word = (((a + b) | 0) + counter) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + word) | 0;
      // past the end of a row of odd length the next row, or nothing, is written over
      values[index] = mean + sigma * (quantiles[word & 0xffff] as number);
      values[index + 1] = mean + sigma * (quantiles[word >>> 16] as number);
    }
  }
}

/** Sums of a byte and a noise below 1792 in size, cut off at 0 and 255: entry 1792 + sum. */
const sums = Uint8Array.from({ length: 4096 }, (_, at) => clampByte(at - 1792));

function addToRow(picture: Picture, row: number, noise: Float32Array, channels: number): void {
  const { pixels, width } = picture;
  const start = picture.offset + row * picture.stride;
  if (channels === 3) {
    for (let at = 0; at < width * 3; at++) {
      pixels[start + at] = sums[
        (pixels[start + at] as number) + ((noise[at] as number) | 0) + 1792
      ] as number;
    }
    return;
  }
  for (let column = 0, at = start; column < width; column++, at += 3) {
    const value = ((noise[column] as number) | 0) + 1792;
    pixels[at] = sums[(pixels[at] as number) + value] as number;
    pixels[at + 1] = sums[(pixels[at + 1] as number) + value] as number;
    pixels[at + 2] = sums[(pixels[at + 2] as number) + value] as number;
  }
}

/** Where the centre of pixel `index` of `length` lies among `small` pixels, kept within their centres. */
function center(index: number, length: number, small: number): number {
  return Math.max(0, Math.min(small - 1, ((index + 0.5) * small) / length - 0.5));
}

function blend(
  values: Float32Array,
  upper: number,
  lower: number,
  part: number,
  out: Float32Array,
  count: number,
): void {
  for (let at = 0; at < count; at++) {
    const value = values[upper + at] as number;
    out[at] = value + part * ((values[lower + at] as number) - value);
  }
}

function enlargeRow(
  from: Float32Array,
  small: number,
  to: Float32Array,
  width: number,
  channels: number,
): void {
  for (let column = 0, at = 0; column < width; column++) {
    const x = center(column, width, small);
    const left = Math.floor(x);
    const part = x - left;
    const step = left + 1 < small ? channels : 0;
    for (let channel = 0, source = left * channels; channel < channels; channel++, source++, at++) {
      const value = from[source] as number;
      to[at] = value + part * ((from[source + step] as number) - value);
    }
  }
}

function grown(array: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  // one more, for rows of odd length
  return array.length > length ? array : new Float32Array(Math.ceil(length * 1.25) + 1);
}
