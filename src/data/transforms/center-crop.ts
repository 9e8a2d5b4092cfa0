import { cropSize, requireRoom } from './crop-size.js';
import { defineTransform } from './transform.js';

/**
 * Cuts out the middle `height` x `width` pixels; an odd rest goes to the bottom and the right.
 * @example CenterCrop({ height: 224, width: 224 })
 */
export const CenterCrop = defineTransform({
  name: 'CenterCrop',
  options: cropSize,
  p: 1,
  minimumInput: (size) => size,
  outputSize: ({ height, width }) => ({ height, width }),
  compile: (size) => (picture) => {
    requireRoom(picture, size);
    const top = (picture.height - size.height) >> 1;
    const left = (picture.width - size.width) >> 1;
    picture.crop(left, top, size.width, size.height);
  },
});
