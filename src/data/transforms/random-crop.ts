import { cropSize, requireRoom } from './crop-size.js';
import { defineTransform } from './transform.js';

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
  compile: (size) => (picture, random) => {
    requireRoom(picture, size);
    const top = random.below(picture.height - size.height + 1);
    const left = random.below(picture.width - size.width + 1);
    picture.crop(left, top, size.width, size.height);
  },
});
