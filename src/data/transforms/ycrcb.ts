import { clampByte } from './clamp-byte.js';
import type { Picture } from './picture.js';

/** Luma of a colour in YCrCb, weights in 1 / 16384 as OpenCV rounds them. */
function luma(r: number, g: number, b: number): number {
  return (r * 4899 + g * 9617 + b * 1868 + 8192) >> 14;
}

/** Counts how often each luma occurs. */
export function countLuma(picture: Picture, counts: Int32Array): void {
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + rowBytes;
    for (let at = start; at < end; at += 3) {
      (counts[luma(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number)] as number)++;
    }
  }
}

/** Replaces the luma by its entry in the table; hue and saturation stay, by way of 8-bit YCrCb as in OpenCV. */
export function lookUpLuma(picture: Picture, table: Uint8Array): void {
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + rowBytes;
    for (let at = start; at < end; at += 3) {
      const r = pixels[at] as number;
      const b = pixels[at + 2] as number;
      const y = luma(r, pixels[at + 1] as number, b);
      const cr = clampByte((((r - y) * 11682 + 8192) >> 14) + 128) - 128;
      const cb = clampByte((((b - y) * 9241 + 8192) >> 14) + 128) - 128;
      const to = table[y] as number;
      pixels[at] = clampByte(to + ((cr * 22987 + 8192) >> 14));
      pixels[at + 1] = clampByte(to + ((cb * -5636 + cr * -11698 + 8192) >> 14));
      pixels[at + 2] = clampByte(to + ((cb * 29049 + 8192) >> 14));
    }
  }
}
