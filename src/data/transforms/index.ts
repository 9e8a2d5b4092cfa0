/** The package's export `resnode/transforms`: what a configuration is written with. */
export { Affine } from './affine.js';
export { CenterCrop } from './center-crop.js';
export { defineTransforms, type TransformLists } from './define-transforms.js';
export { HorizontalFlip } from './horizontal-flip.js';
export { Lambda, type LambdaFunction, type LambdaPicture } from './lambda.js';
export { Normalize } from './normalize.js';
export { OneOf } from './one-of.js';
export { PadIfNeeded } from './pad-if-needed.js';
export { Picture, PictureRejection } from './picture.js';
export { RandomCrop } from './random-crop.js';
export { RandomResizedCrop } from './random-resized-crop.js';
export { Resize } from './resize.js';
export { Compose, Sequential } from './sequential.js';
export { ShiftScaleRotate } from './shift-scale-rotate.js';
export { SmallestMaxSize } from './smallest-max-size.js';
export { SomeOf } from './some-of.js';
export { defineTransform, type TransformSpec } from './transform.js';
export { VerticalFlip } from './vertical-flip.js';
