import { fillSum } from './lookup.js';
import type { Picture } from './picture.js';

const fround = Math.fround;

/**
 * Changes hue, saturation and value of 8-bit pictures through tables, with OpenCV's arithmetic: hue 0 to 179,
 * saturation and value 0 to 255, each rounded to a whole number on the way. On the way back OpenCV cuts off the
 * fraction (in its vector code, which does all but the last pixels of a row), and so does this.
 */
export class HsvShift {
  /** Hue to hue: the sixth of the circle, and how far the middle channel is from the top one within it. */
  readonly #sixth = new Uint8Array(180);
  readonly #within = new Float64Array(180);
  /** Saturation to saturation, as a part of 1 rounded to float32, and what is left of 1. */
  readonly #saturation = new Float64Array(256);
  readonly #grey = new Float64Array(256);
  /** Value to value likewise, and as the byte of the top channel. */
  readonly #value = new Float64Array(256);
  readonly #top = new Uint8Array(256);
  readonly #bytes = new Uint8Array(256);

  /** @param amount added to the hue, on a circle of 180 */
  setHue(amount: number): void {
    for (let hue = 0; hue < 180; hue++) {
      const rest = (hue + amount) % 180;
      const turned = rest < 0 ? rest + 180 : rest;
      // below 0 by almost nothing is the circle's full length, which is its start
      const h = fround(Math.floor(turned < 180 ? turned : 0) * sixths);
      const sixth = Math.floor(h);
      const within = fround(h - sixth);
      this.#sixth[hue] = sixth;
      this.#within[hue] = sixth % 2 === 0 ? fround(1 - within) : within;
    }
  }

  /** @param amount added to the saturation of all pixels but grey ones; of the amount the whole part counts */
  setSaturation(amount: number): void {
    fillSum(this.#bytes, amount);
    this.#bytes[0] = 0;
    toParts(this.#bytes, this.#saturation);
    for (let x = 0; x < 256; x++) this.#grey[x] = fround(1 - (this.#saturation[x] as number));
  }

  /** @param amount added to the value; of it the whole part counts */
  setValue(amount: number): void {
    fillSum(this.#bytes, amount);
    toParts(this.#bytes, this.#value);
    for (let x = 0; x < 256; x++) this.#top[x] = fround((this.#value[x] as number) * 255);
  }

  apply(picture: Picture): void {
    const { pixels, offset, stride, height } = picture;
    const rowBytes = picture.width * 3;
    for (let row = 0, start = offset; row < height; row++, start += stride) {
      this.#applyToRow(pixels, start, start + rowBytes);
    }
  }

  #applyToRow(pixels: Uint8Array, from: number, to: number): void {
    const sixths = this.#sixth;
    const withins = this.#within;
    const tops = this.#top;
    const values = this.#value;
    const saturations = this.#saturation;
    const greys = this.#grey;
    for (let at = from; at < to; at += 3) {
      const r = pixels[at] as number;
      const g = pixels[at + 1] as number;
      const b = pixels[at + 2] as number;
      const most = Math.max(r, g, b);
      const spread = most - Math.min(r, g, b);
      const around = most === r ? g - b : most === g ? b - r + 2 * spread : r - g + 4 * spread;
      const hue = (around * (hueDivisors[spread] as number) + 2048) >> 12;
      const turned = hue < 0 ? hue + 180 : hue;
      const level = (spread * (saturationDivisors[most] as number) + 2048) >> 12;
      const v = values[most] as number;
      const top = tops[most] as number;
      const bottom = fround(fround(v * (greys[level] as number)) * 255) | 0;
      const part = fround(1 - (saturations[level] as number) * (withins[turned] as number));
      const middle = fround(fround(v * part) * 255) | 0;
      switch (sixths[turned]) {
        case 0:
          store(pixels, at, top, middle, bottom);
          break;
        case 1:
          store(pixels, at, middle, top, bottom);
          break;
        case 2:
          store(pixels, at, bottom, top, middle);
          break;
        case 3:
          store(pixels, at, bottom, middle, top);
          break;
        case 4:
          store(pixels, at, middle, bottom, top);
          break;
        default:
          store(pixels, at, top, bottom, middle);
      }
    }
  }
}

function store(pixels: Uint8Array, at: number, r: number, g: number, b: number): void {
  pixels[at] = r;
  pixels[at + 1] = g;
  pixels[at + 2] = b;
}

/** One step of the hue in sixths of the circle. */
const sixths = fround(6 / 180);

const saturationDivisors = divisors(255 * 4096);
const hueDivisors = divisors((180 * 4096) / 6);

/** whole / n for n up to 255, rounded; 0 for n = 0. */
function divisors(whole: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, n) => (n === 0 ? 0 : Math.round(whole / n)));
}

function toParts(bytes: Uint8Array, parts: Float64Array): void {
  const unit = fround(1 / 255);
  for (let x = 0; x < 256; x++) parts[x] = fround((bytes[x] as number) * unit);
}
