import type { TransformSpec } from './transform.js';

/** Transforms of the training and of the validation pictures, in the order in which they are applied. */
export interface TransformLists {
  /** Default: a random crop, mirrored half of the time. */
  readonly train?: readonly TransformSpec[] | undefined;
  /** Default: the crop in the middle. */
  readonly val?: readonly TransformSpec[] | undefined;
}

/**
 * The lists as they are given; a help for editors, which know then what is expected.
 * @example
 * export default defineTransforms({
 *   train: [HorizontalFlip(), RandomCrop({ height: 224, width: 224 })],
 *   val: [CenterCrop({ height: 224, width: 224 })],
 * });
 */
export function defineTransforms<Lists extends TransformLists>(lists: Lists): Lists {
  return lists;
}
