import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { type DrawnStep, drawAndApply } from './drawn-step.js';
import { type Interpolation, interpolations } from './resampling/interpolation.js';
import { resizeStep } from './resize.js';
import { roundHalfEven } from './round-half-even.js';
import { defineTransform } from './transform.js';

const side = z.int().min(1).max(8192);

/** The step of `SmallestMaxSize`: draws the length of the shorter side. */
export function smallestMaxSizeStep(options: {
  readonly maxSize: number | readonly number[];
  readonly interpolation: Interpolation;
}): DrawnStep<number> {
  const { maxSize, interpolation } = options;
  const size = { height: 1, width: 1 };
  const resize = resizeStep({ ...size, interpolation });
  return {
    draw: (_, random) => (typeof maxSize === 'number' ? maxSize : oneOf(maxSize, random)),
    apply(picture, shorter) {
      const scale = shorter / Math.min(picture.height, picture.width);
      size.height = Math.max(1, roundHalfEven(picture.height * scale));
      size.width = Math.max(1, roundHalfEven(picture.width * scale));
      resize.apply(picture, size);
    },
  };
}

function oneOf(list: readonly number[], random: RandomStream): number {
  return list[random.below(list.length)] as number;
}

/**
 * Scales the picture, its shape kept, to `maxSize` pixels on the shorter side; of a list, one by chance.
 * @example SmallestMaxSize({ maxSize: 256 })
 */
export const SmallestMaxSize = defineTransform({
  name: 'SmallestMaxSize',
  options: {
    maxSize: z.union([side, z.array(side).min(1)]),
    interpolation: z.enum(interpolations).default('linear'),
  },
  p: 1,
  outputSize: () => undefined,
  compile: (options) => drawAndApply(smallestMaxSizeStep(options)),
});
