import { Affine } from './affine.js';
import { CenterCrop } from './center-crop.js';
import { HorizontalFlip } from './horizontal-flip.js';
import { Normalize } from './normalize.js';
import { RandomCrop } from './random-crop.js';
import { ShiftScaleRotate } from './shift-scale-rotate.js';
import type { Transform } from './transform.js';
import { VerticalFlip } from './vertical-flip.js';

/** Every transform that a pipeline can name: one line each. */
const all: readonly Transform[] = [
  RandomCrop, //
  CenterCrop,
  HorizontalFlip,
  VerticalFlip,
  Affine,
  ShiftScaleRotate,
  Normalize,
];

export type TransformRegistry = ReadonlyMap<string, Transform>;

export const transforms: TransformRegistry = registryOf(all);

export function registryOf(list: readonly Transform[]): TransformRegistry {
  return new Map(list.map((transform) => [transform.transformName, transform]));
}
