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
    const { view, width, height, start, step, stride } = picture.geometry();
    const table = this.#tableAfter(picture.pendingTable);
    const plane = width * height;
    // always from left to right in the picture's memory; mirrored ones are written from right to left
    const direction = step > 0 ? 1 : -1;
    let source = step > 0 ? start : start + (width - 1) * step;
    let target = step > 0 ? at : at + width - 1;
    for (let row = 0; row < height; row++) {
      writeRow(view, source, table, out, target, direction, plane, width);
      source += stride;
      target += width;
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

/** A row of pixels, four at a time: they are three words. */
function writeRow(
  view: DataView,
  source: number,
  table: Float32Array,
  out: Float32Array,
  target: number,
  direction: number,
  plane: number,
  width: number,
): void {
  let from = source;
  let to = target;
  const left = width & 3;
  for (const end = source + 3 * (width - left); from < end; from += 12, to += 4 * direction) {
    const a = view.getUint32(from, true);
    const b = view.getUint32(from + 4, true);
    const c = view.getUint32(from + 8, true);
    const second = to + direction;
    const third = second + direction;
    const fourth = third + direction;
    out[to] = table[a & 255] as number;
    out[second] = table[a >>> 24] as number;
    out[third] = table[(b >>> 16) & 255] as number;
    out[fourth] = table[(c >>> 8) & 255] as number;
    out[to + plane] = table[256 + ((a >>> 8) & 255)] as number;
    out[second + plane] = table[256 + (b & 255)] as number;
    out[third + plane] = table[256 + (b >>> 24)] as number;
    out[fourth + plane] = table[256 + ((c >>> 16) & 255)] as number;
    out[to + 2 * plane] = table[512 + ((a >>> 16) & 255)] as number;
    out[second + 2 * plane] = table[512 + ((b >>> 8) & 255)] as number;
    out[third + 2 * plane] = table[512 + (c & 255)] as number;
    out[fourth + 2 * plane] = table[512 + (c >>> 24)] as number;
  }
  for (let rest = left; rest > 0; rest--, from += 3, to += direction) {
    const pixel = view.getUint32(from, true);
    out[to] = table[pixel & 255] as number;
    out[to + plane] = table[256 + ((pixel >>> 8) & 255)] as number;
    out[to + 2 * plane] = table[512 + ((pixel >>> 16) & 255)] as number;
  }
}
