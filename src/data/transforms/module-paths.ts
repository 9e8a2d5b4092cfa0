import { resolve } from 'node:path';
import { Lambda } from './lambda.js';
import type { TransformSpec } from './transform.js';

/**
 * The same transforms, with the files of every `Lambda`, also within other transforms, as whole paths.
 * @param folder that paths in the list start from
 */
export function withModulesFrom(specs: readonly TransformSpec[], folder: string): readonly TransformSpec[] {
  return specs.map((spec) => {
    // not checked yet: a configuration may leave the options out
    const { module, transforms } = spec.options ?? {};
    if (spec.name === Lambda.transformName && typeof module === 'string') {
      return { ...spec, options: { ...spec.options, module: resolve(folder, module) } };
    }
    if (!Array.isArray(transforms)) return spec;
    const within = withModulesFrom(transforms as TransformSpec[], folder);
    return { ...spec, options: { ...spec.options, transforms: within } };
  });
}
