import { cropSize, requireRoom } from './crop-size.js';
import { type DrawnStep, drawAndApply } from './drawn-step.js';
import { defineTransform, type Size } from './transform.js';

/** The step of `RandomCrop`: draws the place of the part's upper left corner. */
export function randomCropStep(size: Size): DrawnStep<{ readonly left: number; readonly top: number }> {
  const place = { left: 0, top: 0 };
  return {
    draw(picture, random) {
      requireRoom(picture, size);
      place.top = random.below(picture.height - size.height + 1);
      place.left = random.below(picture.width - size.width + 1);
      return place;
    },
    apply: (picture, { left, top }) => picture.crop(left, top, size.width, size.height),
  };
}

/**
 * Cuts out a part of `height` x `width` pixels, every place equally likely.
 * @example RandomCrop({ height: 224, width: 224 })
 */
export const RandomCrop = defineTransform({
  name: 'RandomCrop',
  options: cropSize,
  p: 1,
  minimumInput: (size) => size,
  outputSize: ({ height, width }) => ({ height, width }),
  compile: (size) => drawAndApply(randomCropStep(size)),
});
