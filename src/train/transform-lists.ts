import { z } from 'zod';
import { CenterCrop } from '../data/transforms/center-crop.js';
import { HorizontalFlip } from '../data/transforms/horizontal-flip.js';
import { Pipeline } from '../data/transforms/pipeline.js';
import { RandomCrop } from '../data/transforms/random-crop.js';
import type { Normalization, Size, TransformSpec } from '../data/transforms/transform.js';

/** What is done to pictures, in order. What is left out: a random crop and half of them mirrored; the central crop. */
export interface TransformLists {
  /** Of the training pictures. */
  readonly train?: readonly TransformSpec[] | undefined;
  /** Of the validation pictures. */
  readonly val?: readonly TransformSpec[] | undefined;
}

/** The lists, or a function that makes them for pictures of the size that the network sees. */
export type TransformSettings = TransformLists | ((size: Size) => TransformLists);

const spec = z.strictObject({
  name: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
});

/** Transforms as plain data, for the configuration that a run keeps. */
export const transformLists = z.strictObject({
  train: z.array(spec).optional(),
  val: z.array(spec).optional(),
});

/** The lists that were asked for; the options that were left out are added by the transforms themselves. */
export function listsFor(size: Size, settings: TransformSettings | undefined): TransformLists | undefined {
  return typeof settings === 'function' ? settings(size) : settings;
}

/** Both lists, with what is done where nothing was asked for. */
export function completeLists(
  size: Size,
  { transforms, flip }: { transforms?: TransformLists | undefined; flip: boolean },
): Readonly<Record<'train' | 'val', readonly TransformSpec[]>> {
  return {
    train: transforms?.train ?? [RandomCrop(size), ...(flip ? [HorizontalFlip()] : [])],
    val: transforms?.val ?? [CenterCrop(size)],
  };
}

/** @throws UserError naming the transform that is unknown, set wrongly, or gives pictures of another size */
export function checkLists(
  size: Size,
  lists: TransformLists | undefined,
  normalization: Normalization,
): void {
  for (const list of [lists?.train, lists?.val]) if (list) new Pipeline(list, { size, normalization });
}
