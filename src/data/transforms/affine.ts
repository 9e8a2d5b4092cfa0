import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { type DrawnStep, drawAndApply } from './drawn-step.js';
import { type Axes, axesOf, rangeOf } from './ranges.js';
import { type AffineParts, isIdentity, setAffine } from './resampling/affine-matrix.js';
import { borderOptions } from './resampling/border.js';
import { interpolations } from './resampling/interpolation.js';
import { Warp, type WarpOptions } from './resampling/warp.js';
import { defineTransform, type Size } from './transform.js';
import { drawFrom, drawWholeFrom, type Range } from './value-range.js';

/** What an affine transform is drawn from. */
export interface AffineRanges {
  readonly scale: Axes;
  /** Take the scale of x for y, too. */
  readonly keepRatio: boolean;
  /** Shrink as often as enlarge. */
  readonly balancedScale: boolean;
  /** Parts of the width and the height, rounded towards 0 to whole pixels. */
  readonly translatePercent?: Axes | undefined;
  readonly translatePx?: Axes | undefined;
  readonly rotate: Range;
  readonly shear: Axes;
}

/** The step of `Affine` and of what comes down to it. */
export function affineStep(options: AffineRanges & WarpOptions): DrawnStep<AffineParts> {
  const warp = new Warp(options);
  const matrix = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };
  const parts = { scale: { x: 1, y: 1 }, rotate: 0, shear: { x: 0, y: 0 }, translate: { x: 0, y: 0 } };
  return {
    draw(picture, random) {
      drawTranslation(parts.translate, options, picture, random);
      // albumentations turns the sign of the shear
      parts.shear.x = -drawFrom(options.shear.x, random);
      parts.shear.y = -drawFrom(options.shear.y, random);
      parts.scale.x = drawScale(options.scale.x, options.balancedScale, random);
      const scaleY = drawScale(options.scale.y, options.balancedScale, random);
      parts.scale.y = options.keepRatio ? parts.scale.x : scaleY;
      parts.rotate = drawFrom(options.rotate, random);
      return parts;
    },
    apply(picture, drawn) {
      setAffine(matrix, drawn, picture);
      if (isIdentity(matrix)) return;
      picture.settle();
      warp.set(matrix);
      picture.resample(warp, picture.width, picture.height);
    },
  };
}

function drawTranslation(
  translation: { x: number; y: number },
  { translatePercent, translatePx }: AffineRanges,
  { width, height }: Size,
  random: RandomStream,
): void {
  if (translatePercent) {
    translation.x = Math.trunc(drawFrom(translatePercent.x, random) * width);
    translation.y = Math.trunc(drawFrom(translatePercent.y, random) * height);
  } else if (translatePx) {
    translation.x = drawWholeFrom(translatePx.x, random);
    translation.y = drawWholeFrom(translatePx.y, random);
  }
}

function drawScale([low, high]: Range, balanced: boolean, random: RandomStream): number {
  if (!balanced) return low + (high - low) * random.uniform();
  const shrink = low < 1 && (high <= 1 || random.uniform() < 0.5);
  const from = shrink ? low : 1;
  const to = shrink ? 1 : Math.max(1, high);
  return from + (to - from) * random.uniform();
}

/**
 * Scales, turns, shears and shifts the picture about its middle; its size stays.
 * @example Affine({ scale: [0.8, 1.2], rotate: [-20, 20], shear: { x: [-10, 10] }, p: 0.5 })
 */
export const Affine = defineTransform({
  name: 'Affine',
  options: {
    scale: axesOf(z.number().min(0.01).max(100), 1).default({ x: [1, 1], y: [1, 1] }),
    translatePercent: axesOf(z.number().min(-10).max(10), 0).optional(),
    translatePx: axesOf(z.int().min(-65_536).max(65_536), 0).optional(),
    rotate: rangeOf(z.number().min(-360).max(360)).default([0, 0]),
    shear: axesOf(z.number().gt(-90).lt(90), 0).default({ x: [0, 0], y: [0, 0] }),
    keepRatio: z.boolean().default(false),
    balancedScale: z.boolean().default(false),
    interpolation: z.enum(interpolations).default('linear'),
    ...borderOptions,
  },
  p: 0.5,
  check: ({ translatePercent, translatePx }) =>
    translatePercent && translatePx ? 'translatePercent and translatePx cannot both be given' : undefined,
  compile: (options) => drawAndApply(affineStep(options)),
});
