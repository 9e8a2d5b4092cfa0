import type { Picture } from './picture.js';

/** Weights of red, green and blue in grey (0.299, 0.587, 0.114), in 1 / 32768 as OpenCV rounds them. */
const red = 9798;
const green = 19235;
const blue = 3735;

/** Grey of a colour, 0 to 255. */
export function grey(r: number, g: number, b: number): number {
  return (r * red + g * green + b * blue + 16384) >> 15;
}

/** Mean of the picture's grey, 0 to 255. */
export function meanGrey(picture: Picture): number {
  const { pixels, offset, stride, width, height } = picture;
  let sum = 0;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + width * 3;
    let inRow = 0;
    for (let at = start; at < end; at += 3) {
      inRow += grey(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number);
    }
    sum += inRow;
  }
  return sum / (width * height);
}

/** Mean of all of the picture's bytes. */
export function meanByte(picture: Picture): number {
  const { pixels, offset, stride, width, height } = picture;
  let sum = 0;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + width * 3;
    let inRow = 0;
    for (let at = start; at < end; at += 3) {
      inRow += (pixels[at] as number) + (pixels[at + 1] as number) + (pixels[at + 2] as number);
    }
    sum += inRow;
  }
  return sum / (width * height * 3);
}
