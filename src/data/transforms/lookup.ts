import { clampByte } from './clamp-byte.js';
import type { Picture } from './picture.js';

/** Replaces every byte of the picture by its entry in a table of 256. */
export function lookUp(picture: Picture, table: Uint8Array): void {
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, at = offset; row < height; row++, at += stride) {
    lookUpRow(pixels, at, at + rowBytes, table);
  }
}

// rows are functions of their own, and their loops unrolled, because that measured fastest

function lookUpRow(pixels: Uint8Array, from: number, to: number, table: Uint8Array): void {
  let at = from;
  for (; at <= to - 6; at += 6) {
    pixels[at] = table[pixels[at] as number] as number;
    pixels[at + 1] = table[pixels[at + 1] as number] as number;
    pixels[at + 2] = table[pixels[at + 2] as number] as number;
    pixels[at + 3] = table[pixels[at + 3] as number] as number;
    pixels[at + 4] = table[pixels[at + 4] as number] as number;
    pixels[at + 5] = table[pixels[at + 5] as number] as number;
  }
  for (; at < to; at++) pixels[at] = table[pixels[at] as number] as number;
}

/** Replaces red, green and blue by their entries in three tables of 256, one behind the other. */
export function lookUpChannels(picture: Picture, tables: Uint8Array): void {
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, at = offset; row < height; row++, at += stride) {
    lookUpChannelsOfRow(pixels, at, at + rowBytes, tables);
  }
}

function lookUpChannelsOfRow(pixels: Uint8Array, from: number, to: number, tables: Uint8Array): void {
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

/** Fills a table with x * factor + term, in float32, cut off to a whole number of 0 to 255. */
export function fillLinear(table: Uint8Array, factor: number, term: number): void {
  const f = Math.fround(factor);
  const t = Math.fround(term);
  for (let x = 0; x < 256; x++) {
    table[x] = clampByte(Math.fround(Math.fround(x * f) + t));
  }
}

/** Fills a table with x + term, cut off at 0 and 255; of the term the whole part counts. */
export function fillSum(table: Uint8Array, term: number): void {
  const t = Math.trunc(term);
  for (let x = 0; x < 256; x++) table[x] = clampByte(x + t);
}
