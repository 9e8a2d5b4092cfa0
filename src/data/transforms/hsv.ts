import { fillSum } from './lookup.js';
import type { Picture } from './picture.js';

const fround = Math.fround;

/**
 * Changes hue, saturation and value of 8-bit pictures through tables, with OpenCV's arithmetic: hue 0 to 179,
 * saturation and value 0 to 255, each rounded to a whole number on the way. On the way back OpenCV cuts off the
 * fraction (in its vector code, which does all but the last pixels of a row), and so does this.
 */
export class HsvShift {
  /** Hue to hue, in sixths of the circle: the sixth, and the place within it. */
  readonly #sixth = new Uint8Array(180);
  readonly #within = new Float64Array(180);
  /** Saturation to saturation and value to value, as parts of 1 rounded to float32. */
  readonly #saturation = new Float64Array(256);
  readonly #value = new Float64Array(256);
  readonly #bytes = new Uint8Array(256);

  /** @param amount added to the hue, on a circle of 180 */
  setHue(amount: number): void {
    for (let hue = 0; hue < 180; hue++) {
      const rest = (hue + amount) % 180;
      const turned = rest < 0 ? rest + 180 : rest;
      // below 0 by almost nothing is the circle's full length, which is its start
      const h = fround(Math.floor(turned < 180 ? turned : 0) * sixths);
      this.#sixth[hue] = Math.floor(h);
      this.#within[hue] = fround(h - Math.floor(h));
    }
  }

  /** @param amount added to the saturation of all pixels but grey ones; of the amount the whole part counts */
  setSaturation(amount: number): void {
    fillSum(this.#bytes, amount);
    this.#bytes[0] = 0;
    toParts(this.#bytes, this.#saturation);
  }

  /** @param amount added to the value; of it the whole part counts */
  setValue(amount: number): void {
    fillSum(this.#bytes, amount);
    toParts(this.#bytes, this.#value);
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
    const saturations = this.#saturation;
    const values = this.#value;
    for (let at = from; at < to; at += 3) {
      const r = pixels[at] as number;
      const g = pixels[at + 1] as number;
      const b = pixels[at + 2] as number;
      const most = Math.max(r, g, b);
      const least = Math.min(r, g, b);
      const spread = most - least;
      const around = most === r ? g - b : most === g ? b - r + 2 * spread : r - g + 4 * spread;
      let hue = (around * (hueDivisors[spread] as number) + 2048) >> 12;
      if (hue < 0) hue += 180;
      const s = saturations[(spread * (saturationDivisors[most] as number) + 2048) >> 12] as number;
      const v = values[most] as number;
      const sixth = sixths[hue] as number;
      const within = withins[hue] as number;
      const top = (fround(v * 255) | 0) as number;
      const bottom = fround(fround(v * fround(1 - s)) * 255) | 0;
      const middle =
        fround(fround(v * fround(1 - s * ((sixth & 1) === 0 ? fround(1 - within) : within))) * 255) | 0;
      pixels[at] = sixth === 0 || sixth === 5 ? top : sixth === 1 || sixth === 4 ? middle : bottom;
      pixels[at + 1] = sixth === 1 || sixth === 2 ? top : sixth === 0 || sixth === 3 ? middle : bottom;
      pixels[at + 2] = sixth === 3 || sixth === 4 ? top : sixth === 2 || sixth === 5 ? middle : bottom;
    }
  }
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
