import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { fillLinear, lookUp } from './lookup.js';
import { meanByte } from './luma.js';
import type { Picture } from './picture.js';
import { defineTransform } from './transform.js';
import { around0, drawFrom, type Range, valueRange } from './value-range.js';

interface Options {
  readonly brightnessLimit: Range;
  readonly contrastLimit: Range;
  readonly brightnessByMax: boolean;
  readonly ensureSafeRange: boolean;
}

/** A pixel x becomes alpha * x + beta. */
interface BrightnessContrast {
  readonly alpha: number;
  readonly beta: number;
}

export function draw(options: Options, picture: Picture, random: RandomStream): BrightnessContrast {
  const alpha = 1 + drawFrom(options.contrastLimit, random);
  const brightness = drawFrom(options.brightnessLimit, random);
  const beta = brightness * (options.brightnessByMax ? 255 : meanByte(picture));
  return options.ensureSafeRange ? withinRange(alpha, beta) : { alpha, beta };
}

export function apply(picture: Picture, { alpha, beta }: BrightnessContrast, tables: Uint8Array): void {
  fillLinear(tables, alpha, beta);
  lookUp(picture, tables);
}

/** The nearest alpha and beta that lead from 0 to 255 to nothing beyond. */
export function withinRange(alpha: number, beta: number): BrightnessContrast {
  if (alpha > 0) {
    const safe = Math.max(0, Math.min(255, beta));
    return { alpha: Math.min(alpha, (255 - safe) / 255), beta: safe };
  }
  const safe = Math.min(beta, 255);
  return { alpha: Math.max(alpha, -safe / 255), beta: safe };
}

/**
 * Changes brightness and contrast: x becomes (1 + contrast) * x + brightness * 255, or brightness * the
 * picture's mean without `brightnessByMax`. `ensureSafeRange` keeps both so small that nothing is cut off.
 * @example RandomBrightnessContrast({ brightnessLimit: 0.2, contrastLimit: [-0.1, 0.3], p: 0.5 })
 */
export const RandomBrightnessContrast = defineTransform({
  name: 'RandomBrightnessContrast',
  options: {
    brightnessLimit: valueRange({ within: [-1, 1], default: [-0.2, 0.2], single: around0 }),
    contrastLimit: valueRange({
      within: [-1, Number.POSITIVE_INFINITY],
      default: [-0.2, 0.2],
      single: around0,
    }),
    brightnessByMax: z.boolean().default(true),
    ensureSafeRange: z.boolean().default(false),
  },
  p: 0.5,
  compile: (options) => {
    const tables = new Uint8Array(768);
    return (picture, random) => apply(picture, draw(options, picture, random), tables);
  },
});
