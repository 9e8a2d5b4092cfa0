import { clampByte } from './clamp-byte.js';
import type { Picture } from './picture.js';

/** Replaces red, green and blue by their entries in three tables of 256, one behind the other. */
export function lookUp(picture: Picture, tables: Uint8Array): void {
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, at = offset; row < height; row++, at += stride) {
    lookUpRow(pixels, at, at + rowBytes, tables);
  }
}

// a function of its own, and unrolled, because that measured fastest
function lookUpRow(pixels: Uint8Array, from: number, to: number, tables: Uint8Array): void {
  let at = from;
  for (; at <= to - 6; at += 6) {
    pixels[at] = tables[pixels[at] as number] as number;
    pixels[at + 1] = tables[256 + (pixels[at + 1] as number)] as number;
    pixels[at + 2] = tables[512 + (pixels[at + 2] as number)] as number;
    pixels[at + 3] = tables[pixels[at + 3] as number] as number;
    pixels[at + 4] = tables[256 + (pixels[at + 4] as number)] as number;
    pixels[at + 5] = tables[512 + (pixels[at + 5] as number)] as number;
  }
  if (at === to) return;
  pixels[at] = tables[pixels[at] as number] as number;
  pixels[at + 1] = tables[256 + (pixels[at + 1] as number)] as number;
  pixels[at + 2] = tables[512 + (pixels[at + 2] as number)] as number;
}

/** Fills the three tables with x * factor + term, in float32, cut off to a whole number of 0 to 255. */
export function fillLinear(tables: Uint8Array, factor: number, term: number): void {
  const f = Math.fround(factor);
  const t = Math.fround(term);
  for (let x = 0; x < 256; x++) {
    const value = clampByte(Math.fround(Math.fround(x * f) + t));
    tables[x] = value;
    tables[256 + x] = value;
    tables[512 + x] = value;
  }
}

/** Fills a table of 256 with x + term, cut off at 0 and 255; of the term the whole part counts. */
export function fillSum(table: Uint8Array, term: number): void {
  const t = Math.trunc(term);
  for (let x = 0; x < 256; x++) table[x] = clampByte(x + t);
}
