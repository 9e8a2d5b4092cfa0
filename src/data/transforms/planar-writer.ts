import type { Picture } from './picture.js';
import type { Normalization } from './transform.js';

/**
 * Writes a picture as three planes of floats (CHW), normalised through a table of 256 entries a channel. It
 * follows the picture's crop and mirroring, so that those cost no pass of their own.
 */
export class PlanarWriter {
  /** Entry 256 * channel + pixel. */
  readonly #table = new Float32Array(768);
  readonly #both = new Float32Array(768);

  constructor({ mean, std }: Normalization) {
    for (let channel = 0; channel < 3; channel++) {
      const center = mean[channel] as number;
      const scale = std[channel] as number;
      for (let pixel = 0; pixel < 256; pixel++) this.#table[256 * channel + pixel] = (pixel - center) / scale;
    }
  }

  /** Writes 3 * height * width floats to `out` from index `at` on. */
  write(picture: Picture, out: Float32Array, at: number): void {
    const { pixels, width, height, start, step, stride } = picture.geometry();
    const table = this.#tableAfter(picture.pendingTable);
    const plane = width * height;
    let source = start;
    let target = at;
    for (let row = 0; row < height; row++) {
      const end = target + width;
      for (let from = source; target < end; target++, from += step) {
        out[target] = table[pixels[from] as number] as number;
        out[target + plane] = table[256 + (pixels[from + 1] as number)] as number;
        out[target + 2 * plane] = table[512 + (pixels[from + 2] as number)] as number;
      }
      source += stride;
    }
  }

  /** The normalisation of what the picture's own table gives. */
  #tableAfter(first: Uint8Array | undefined): Float32Array {
    if (!first) return this.#table;
    const both = this.#both;
    for (let channel = 0; channel < 768; channel += 256) {
      for (let at = channel; at < channel + 256; at++) {
        both[at] = this.#table[channel + (first[at] as number)] as number;
      }
    }
    return both;
  }
}
