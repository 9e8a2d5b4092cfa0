import { z } from 'zod';
import { readOptions } from '../../read-options.js';
import type { Normalization, Transform, TransformFactory, TransformSpec } from './transform.js';

const perChannel = z.tuple([z.number(), z.number(), z.number()]);
const schema = z.strictObject({
  mean: perChannel.optional(),
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]).optional(),
});

const name = 'Normalize';

const prepare: Transform['prepare'] = (given) => {
  const { mean, std } = readOptions(`transform ${name}`, schema, given);
  return {
    kind: 'normalization',
    resolve: (defaults) => ({ mean: mean ?? defaults.mean, std: std ?? defaults.std }),
  };
};

/**
 * The end of every pipeline: (pixel - mean) / std, with mean and std of red, green and blue on the scale
 * 0 to 255. What is left out, and `Normalize` itself, comes from the dataset.
 * @example Normalize({ mean: [123.7, 116.3, 103.5], std: [58.4, 57.1, 57.4] })
 */
export const Normalize: TransformFactory<Partial<Normalization>> = Object.assign(
  (options: Partial<Normalization> = {}): TransformSpec => ({
    name,
    options: readOptions(`transform ${name}`, schema, options),
  }),
  { transformName: name, prepare },
);
