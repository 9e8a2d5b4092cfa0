import { z } from 'zod';
import { type AffineRanges, affineStep } from './affine.js';
import { drawAndApply } from './drawn-step.js';
import { symmetricRangeOf } from './ranges.js';
import { borderOptions } from './resampling/border.js';
import { interpolations } from './resampling/interpolation.js';
import { defineTransform } from './transform.js';
import type { Range } from './value-range.js';

const shift = symmetricRangeOf(z.number().min(-1).max(1));

/** The same as ranges of an affine transform. */
export function affineRanges(limits: {
  readonly shiftLimit: Range;
  readonly shiftLimitX?: Range | undefined;
  readonly shiftLimitY?: Range | undefined;
  readonly scaleLimit: Range;
  readonly rotateLimit: Range;
}): AffineRanges {
  const { shiftLimit, shiftLimitX, shiftLimitY, scaleLimit, rotateLimit } = limits;
  const scale: Range = [1 + scaleLimit[0], 1 + scaleLimit[1]];
  return {
    scale: { x: scale, y: scale },
    keepRatio: false,
    balancedScale: false,
    translatePercent: { x: shiftLimitX ?? shiftLimit, y: shiftLimitY ?? shiftLimit },
    rotate: rotateLimit,
    shear: { x: [0, 0], y: [0, 0] },
  };
}

/**
 * Shifts the picture by parts of its sides, scales it by 1 + scaleLimit (each side by itself) and turns it by
 * degrees. A single limit v stands for -v to v; a pair is a range: `rotateLimit: [-15, -15]` always turns by -15.
 * @example ShiftScaleRotate({ rotateLimit: [-15, -15], borderMode: 'replicate', p: 0.5 })
 */
export const ShiftScaleRotate = defineTransform({
  name: 'ShiftScaleRotate',
  options: {
    shiftLimit: shift.default([-0.0625, 0.0625]),
    shiftLimitX: shift.optional(),
    shiftLimitY: shift.optional(),
    scaleLimit: symmetricRangeOf(z.number().min(-0.99).max(99)).default([-0.1, 0.1]),
    rotateLimit: symmetricRangeOf(z.number().min(-360).max(360)).default([-45, 45]),
    interpolation: z.enum(interpolations).default('linear'),
    ...borderOptions,
  },
  p: 0.5,
  compile: (options) => drawAndApply(affineStep({ ...options, ...affineRanges(options) })),
});
