import { z } from 'zod';
import { CenterCrop } from '../data/transforms/center-crop.js';
import { HorizontalFlip } from '../data/transforms/horizontal-flip.js';
import { Normalize } from '../data/transforms/normalize.js';
import { outputSizeOf, Pipeline } from '../data/transforms/pipeline.js';
import { RandomCrop } from '../data/transforms/random-crop.js';
import type { Normalization, TransformSpec } from '../data/transforms/transform.js';
import { exitCodes, UserError } from '../errors.js';

const specs = z.array(z.strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()) }));

/** Transforms as a configuration holds them; what is left out has the default. */
export const transformLists = z.strictObject({ train: specs.optional(), val: specs.optional() });

/** The part of a configuration that says how pictures are made. */
interface Settings {
  readonly crop: number;
  readonly flip: boolean;
  readonly transforms?: z.output<typeof transformLists> | undefined;
}

/** The transforms of a run: its own, or a crop, mirrored in training. */
export function runTransforms({ crop, flip, transforms }: Settings): {
  readonly train: readonly TransformSpec[];
  readonly val: readonly TransformSpec[];
} {
  const size = { height: crop, width: crop };
  const train = transforms?.train ?? [RandomCrop(size), ...(flip ? [HorizontalFlip()] : [])];
  // the validation sees pictures normalised as the training does
  const normalize = train.filter(({ name }) => name === Normalize.transformName);
  return { train, val: transforms?.val ?? [CenterCrop(size), ...normalize] };
}

/**
 * How a run normalises its pictures.
 * @throws UserError for transforms that cannot be, or that normalise training and validation differently
 */
export function runNormalization(settings: Settings, dataset: Normalization): Normalization {
  const { train, val } = runTransforms(settings);
  const { mean, std } = dataset;
  const size = { height: settings.crop, width: settings.crop };
  const normalizationOf = (list: readonly TransformSpec[]): Normalization =>
    new Pipeline(list, { size, normalization: { mean, std } }).normalization;
  const trained = normalizationOf(train);
  if (JSON.stringify(trained) === JSON.stringify(normalizationOf(val))) return trained;
  throw new UserError('the transforms normalise training and validation pictures differently', {
    exitCode: exitCodes.usage,
    hint: 'Give Normalize the same mean and std in both lists, or leave both to the dataset.',
  });
}

/**
 * Side of the pictures that the transforms give; undefined where they do not say.
 * @throws UserError for pictures that are not square
 */
export function sideOf(lists: z.output<typeof transformLists> | undefined): number | undefined {
  const size = outputSizeOf(lists?.train ?? []) ?? outputSizeOf(lists?.val ?? []);
  if (!size || size.height === size.width) return size?.height;
  throw new UserError(
    `the transforms give pictures of ${size.height} x ${size.width}; the network takes square ones`,
    { exitCode: exitCodes.usage },
  );
}
