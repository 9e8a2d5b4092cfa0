import { clampByte } from './clamp-byte.js';
import type { Picture } from './picture.js';

/** Replaces red, green and blue by their entries in three tables of 256, one behind the other. */
export function lookUp(picture: Picture, tables: Uint8Array): void {
  picture.map(tables);
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
