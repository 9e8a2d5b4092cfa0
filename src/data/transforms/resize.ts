import { z } from 'zod';
import { cropSize } from './crop-size.js';
import type { DrawnStep } from './drawn-step.js';
import { drawAndApply } from './drawn-step.js';
import { type Interpolation, interpolations } from './resampling/interpolation.js';
import { Resizing } from './resampling/resize.js';
import { defineTransform, type Size, sameSize } from './transform.js';

/** The step of `Resize`. */
export function resizeStep(options: Size & { readonly interpolation: Interpolation }): DrawnStep<Size> {
  const resizing = new Resizing(options.interpolation);
  return {
    draw: () => options,
    apply(picture, size) {
      if (sameSize(picture, size)) return;
      picture.settle();
      resizing.set(size.width, size.height);
      picture.resample(resizing, size.width, size.height);
    },
  };
}

/**
 * Brings the picture to `height` x `width` pixels, whatever its shape was.
 * @example Resize({ height: 224, width: 224 })
 */
export const Resize = defineTransform({
  name: 'Resize',
  options: { ...cropSize, interpolation: z.enum(interpolations).default('linear') },
  p: 1,
  outputSize: ({ height, width }) => ({ height, width }),
  compile: (options) => drawAndApply(resizeStep(options)),
});
