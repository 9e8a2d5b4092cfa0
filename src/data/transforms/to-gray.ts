import { z } from 'zod';
import { lightness } from './lightness.js';
import { grey } from './luma.js';
import type { Picture } from './picture.js';
import { defineTransform } from './transform.js';

type Grey = (r: number, g: number, b: number) => number;

/** How a colour becomes a grey value, in albumentations' names. */
const methods = {
  weighted_average: grey,
  from_lab: lightness,
  desaturation: (r, g, b) => (Math.max(r, g, b) + Math.min(r, g, b)) >> 1,
  average: (r, g, b) => ((r + g + b) / 3) | 0,
  max: (r, g, b) => Math.max(r, g, b),
} as const satisfies Record<string, Grey>;

export type GreyMethod = keyof typeof methods;

export function apply(picture: Picture, method: GreyMethod): void {
  const toGrey: Grey = methods[method];
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + rowBytes;
    for (let at = start; at < end; at += 3) {
      const value = toGrey(pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number);
      pixels[at] = value;
      pixels[at + 1] = value;
      pixels[at + 2] = value;
    }
  }
}

/**
 * Takes the colour out; the picture keeps three channels, all the same.
 * @example ToGray({ method: 'weighted_average', p: 0.1 })
 */
export const ToGray = defineTransform({
  name: 'ToGray',
  options: {
    method: z.enum(Object.keys(methods) as [GreyMethod, ...GreyMethod[]]).default('weighted_average'),
  },
  p: 0.5,
  compile:
    ({ method }) =>
    (picture) =>
      apply(picture, method),
});
