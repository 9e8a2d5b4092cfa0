import { defineTransform } from './transform.js';

/**
 * Swaps top and bottom.
 * @example VerticalFlip({ p: 0.5 })
 */
export const VerticalFlip = defineTransform({
  name: 'VerticalFlip',
  options: {},
  p: 0.5,
  compile: () => (picture) => picture.turnUpsideDown(),
});
