import { Affine } from './affine.js';
import { CenterCrop } from './center-crop.js';
import { CoarseDropout } from './coarse-dropout.js';
import { ColorJitter } from './color-jitter.js';
import { Equalize } from './equalize.js';
import { GaussNoise } from './gauss-noise.js';
import { GaussianBlur } from './gaussian-blur.js';
import { HorizontalFlip } from './horizontal-flip.js';
import { HueSaturationValue } from './hue-saturation-value.js';
import { Lambda } from './lambda.js';
import { Normalize } from './normalize.js';
import { OneOf } from './one-of.js';
import { PadIfNeeded } from './pad-if-needed.js';
import { RandomBrightnessContrast } from './random-brightness-contrast.js';
import { RandomCrop } from './random-crop.js';
import { RandomResizedCrop } from './random-resized-crop.js';
import { Resize } from './resize.js';
import { Compose, Sequential } from './sequential.js';
import { ShiftScaleRotate } from './shift-scale-rotate.js';
import { SmallestMaxSize } from './smallest-max-size.js';
import { SomeOf } from './some-of.js';
import { ToGray } from './to-gray.js';
import type { Transform } from './transform.js';
import { VerticalFlip } from './vertical-flip.js';

/** Every transform that a pipeline can name: one line each. */
const all: readonly Transform[] = [
  RandomCrop, //
  CenterCrop,
  HorizontalFlip,
  RandomBrightnessContrast,
  HueSaturationValue,
  ColorJitter,
  ToGray,
  Equalize,
  GaussianBlur,
  GaussNoise,
  CoarseDropout,
  VerticalFlip,
  Affine,
  ShiftScaleRotate,
  RandomResizedCrop,
  Resize,
  SmallestMaxSize,
  PadIfNeeded,
  Compose,
  Sequential,
  OneOf,
  SomeOf,
  Lambda,
  Normalize,
];

export type TransformRegistry = ReadonlyMap<string, Transform>;

export const transforms: TransformRegistry = registryOf(all);

export function registryOf(list: readonly Transform[]): TransformRegistry {
  return new Map(list.map((transform) => [transform.transformName, transform]));
}
