import { defineTransform } from './transform.js';

/**
 * Swaps left and right.
 * @example HorizontalFlip({ p: 0.5 })
 */
export const HorizontalFlip = defineTransform({
  name: 'HorizontalFlip',
  options: {},
  p: 0.5,
  compile: () => (picture) => picture.mirror(),
});
