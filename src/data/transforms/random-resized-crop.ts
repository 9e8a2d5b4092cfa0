import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { type DrawnStep, drawAndApply } from './drawn-step.js';
import { rangeWithin } from './ranges.js';
import { type Interpolation, interpolations } from './resampling/interpolation.js';
import type { Window } from './resampling/resampling.js';
import { resizeStep } from './resize.js';
import { roundHalfEven } from './round-half-even.js';
import { defineTransform, type Size } from './transform.js';
import { drawFrom, type Range } from './value-range.js';

/** Draws that may not fit before the middle is taken. */
const attempts = 10;

/** The step of `RandomResizedCrop`. */
export function randomResizedCropStep(options: {
  readonly size: readonly [number, number];
  readonly scale: Range;
  readonly ratio: Range;
  readonly interpolation: Interpolation;
}): DrawnStep<Window> {
  const [height, width] = options.size;
  const { scale, interpolation } = options;
  const logRatio: Range = [Math.log(options.ratio[0]), Math.log(options.ratio[1])];
  const size = { height, width };
  const resize = resizeStep({ ...size, interpolation });
  const window = { left: 0, top: 0, width: 0, height: 0 };
  return {
    draw(picture, random) {
      const area = picture.height * picture.width;
      for (let attempt = 0; attempt < attempts; attempt++) {
        const part = area * drawFrom(scale, random);
        const ratio = Math.exp(drawFrom(logRatio, random));
        window.width = roundHalfEven(Math.sqrt(part * ratio));
        window.height = roundHalfEven(Math.sqrt(part / ratio));
        if (fits(window, picture)) return place(window, picture, random);
      }
      return middle(window, picture, options.ratio);
    },
    apply(picture, part) {
      picture.crop(part.left, part.top, part.width, part.height);
      resize.apply(picture, size);
    },
  };
}

interface MutableWindow extends Size {
  left: number;
  top: number;
  width: number;
  height: number;
}

function fits({ width, height }: Size, picture: Size): boolean {
  return width > 0 && height > 0 && width <= picture.width && height <= picture.height;
}

function place(window: MutableWindow, picture: Size, random: RandomStream): Window {
  window.top = random.below(picture.height - window.height + 1);
  window.left = random.below(picture.width - window.width + 1);
  return window;
}

/** The largest part in the middle whose ratio is in the range. */
function middle(window: MutableWindow, { width, height }: Size, [low, high]: Range): Window {
  const ratio = width / height;
  window.width = ratio > high ? Math.max(1, roundHalfEven(height * high)) : width;
  window.height = ratio < low ? Math.max(1, roundHalfEven(width / low)) : height;
  window.left = Math.floor((width - window.width) / 2);
  window.top = Math.floor((height - window.height) / 2);
  return window;
}

/**
 * Cuts out a part of `scale` times the area, of a shape (width / height) within `ratio`, and brings it to `size`,
 * which is height and width.
 * @example RandomResizedCrop({ size: [224, 224], scale: [0.08, 1] })
 */
export const RandomResizedCrop = defineTransform({
  name: 'RandomResizedCrop',
  options: {
    size: z.tuple([z.int().min(1).max(8192), z.int().min(1).max(8192)]),
    scale: rangeWithin(z.number().gt(0).max(1), [0.08, 1]),
    ratio: rangeWithin(z.number().gt(0).max(1000), [3 / 4, 4 / 3]),
    interpolation: z.enum(interpolations).default('linear'),
  },
  p: 1,
  outputSize: ({ size: [height, width] }) => ({ height, width }),
  compile: (options) => drawAndApply(randomResizedCropStep(options)),
});
