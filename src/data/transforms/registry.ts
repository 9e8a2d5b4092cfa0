import { CenterCrop } from './center-crop.js';
import { CoarseDropout } from './coarse-dropout.js';
import { ColorJitter } from './color-jitter.js';
import { Equalize } from './equalize.js';
import { GaussNoise } from './gauss-noise.js';
import { GaussianBlur } from './gaussian-blur.js';
import { HorizontalFlip } from './horizontal-flip.js';
import { HueSaturationValue } from './hue-saturation-value.js';
import { Normalize } from './normalize.js';
import { RandomBrightnessContrast } from './random-brightness-contrast.js';
import { RandomCrop } from './random-crop.js';
import { ToGray } from './to-gray.js';
import type { Transform } from './transform.js';

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
  Normalize,
];

export type TransformRegistry = ReadonlyMap<string, Transform>;

export const transforms: TransformRegistry = registryOf(all);

export function registryOf(list: readonly Transform[]): TransformRegistry {
  return new Map(list.map((transform) => [transform.transformName, transform]));
}
