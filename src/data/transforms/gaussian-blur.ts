import type { RandomStream } from '../../random/random-stream.js';
import type { Picture } from './picture.js';
import { type GaussianKernel, SeparableBlur } from './separable-blur.js';
import { defineTransform } from './transform.js';
import { drawFrom, drawWholeFrom, type Range, valueRange } from './value-range.js';

interface Options {
  readonly blurLimit: Range;
  readonly sigmaLimit: Range;
}

export function draw(options: Options, _picture: Picture, random: RandomStream): GaussianKernel {
  const sigma = drawFrom(options.sigmaLimit, random);
  const size = drawWholeFrom(options.blurLimit, random);
  return { sigma, size };
}

export function apply(picture: Picture, kernel: GaussianKernel, blur: SeparableBlur): void {
  blur.apply(picture, kernel);
}

/** n stands for [0, n]. */
const from0 = (n: number): Range => [0, n];

/**
 * Blurs with a Gaussian of standard deviation `sigmaLimit` in pixels. `blurLimit` is the size of its kernel, an
 * even one counting as the next odd one; 0 takes the size from sigma, 3.5 sigma to each side.
 * @example GaussianBlur({ sigmaLimit: [0.5, 3], p: 0.1 })
 */
export const GaussianBlur = defineTransform({
  name: 'GaussianBlur',
  options: {
    blurLimit: valueRange({ within: [0, 255], default: [0, 0], single: from0, whole: true }),
    sigmaLimit: valueRange({ within: [0, 36], default: [0.5, 3], single: from0 }),
  },
  p: 0.5,
  compile: (options) => {
    const blur = new SeparableBlur();
    return (picture, random) => apply(picture, draw(options, picture, random), blur);
  },
});
