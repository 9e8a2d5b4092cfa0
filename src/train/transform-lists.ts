import { z } from 'zod';
import { CenterCrop } from '../data/transforms/center-crop.js';
import type { TransformLists } from '../data/transforms/define-transforms.js';
import { HorizontalFlip } from '../data/transforms/horizontal-flip.js';
import { withModulesFrom } from '../data/transforms/module-paths.js';
import { Normalize } from '../data/transforms/normalize.js';
import { outputSizeOf, Pipeline } from '../data/transforms/pipeline.js';
import { RandomCrop } from '../data/transforms/random-crop.js';
import type { Normalization, Size, TransformSpec } from '../data/transforms/transform.js';
import { exitCodes, UserError } from '../errors.js';

export type { TransformLists };

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

/** The same settings, with the paths of users' own files taken from a folder, so that they hold anywhere. */
export function settingsFrom(folder: string, settings: TransformSettings): TransformSettings {
  return typeof settings === 'function'
    ? (size) => listsFrom(folder, settings(size))
    : listsFrom(folder, settings);
}

function listsFrom(folder: string, lists: TransformLists): TransformLists {
  const { train, val } = lists;
  return {
    ...lists,
    ...(Array.isArray(train) ? { train: withModulesFrom(train, folder) } : {}),
    ...(Array.isArray(val) ? { val: withModulesFrom(val, folder) } : {}),
  };
}

/** Both lists, with what is done where nothing was asked for. */
export function completeLists(
  size: Size,
  { transforms, flip }: { transforms?: TransformLists | undefined; flip: boolean },
): Readonly<Record<'train' | 'val', readonly TransformSpec[]>> {
  // a list that was left out normalises as the other one does
  return {
    train: transforms?.train ?? [
      RandomCrop(size),
      ...(flip ? [HorizontalFlip()] : []),
      ...normalizationIn(transforms?.val),
    ],
    val: transforms?.val ?? [CenterCrop(size), ...normalizationIn(transforms?.train)],
  };
}

function normalizationIn(list: readonly TransformSpec[] | undefined): TransformSpec[] {
  return (list ?? []).filter(({ name }) => name === Normalize.transformName);
}

/**
 * How a run normalises its pictures.
 * @throws UserError for transforms that cannot be, or that normalise training and validation differently
 */
export function runNormalization(
  config: { crop: number; transforms?: TransformLists | undefined; flip: boolean },
  { mean, std }: Normalization,
): Normalization {
  const size = { height: config.crop, width: config.crop };
  const lists = completeLists(size, config);
  const [train, val] = [lists.train, lists.val].map(
    (list) => new Pipeline(list, { size, normalization: { mean, std } }).normalization,
  );
  if (train && JSON.stringify(train) === JSON.stringify(val)) return train;
  throw new UserError('the transforms normalise training and validation pictures differently', {
    exitCode: exitCodes.usage,
    hint: 'Give Normalize the same mean and std in both lists, or leave both to the dataset.',
  });
}

/**
 * Side of the pictures that the transforms give; undefined where they do not say.
 * @throws UserError for pictures that are not square
 */
export function sideOf(settings: TransformSettings | undefined): number | undefined {
  if (settings === undefined || typeof settings === 'function') return undefined;
  const size = outputSizeOf(settings.train ?? []) ?? outputSizeOf(settings.val ?? []);
  if (!size || size.height === size.width) return size?.height;
  throw new UserError(
    `the transforms give pictures of ${size.height} x ${size.width}; the network takes square ones`,
    { hint: 'Crop or resize to as many pixels in height as in width.' },
  );
}
