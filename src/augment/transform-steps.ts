import { transforms } from '../data/transforms/registry.js';
import type {
  CompiledTransform,
  PreparedTransform,
  Size,
  TransformSpec,
} from '../data/transforms/transform.js';

/** A transform of a list, ready to run on its own. */
export interface TransformStep {
  readonly name: string;
  readonly transform: CompiledTransform;
}

/** The transforms of a list that `Pipeline` has accepted, without the normalisation at its end. */
export function prepareList(specs: readonly TransformSpec[]): Array<{ name: string } & PreparedTransform> {
  return specs.flatMap((spec) => {
    const prepared = transforms.get(spec.name)?.prepare(spec.options, prepareList);
    return prepared?.kind === 'transform' ? [{ ...prepared, name: spec.name }] : [];
  });
}

export function compileSteps(specs: readonly TransformSpec[]): TransformStep[] {
  return prepareList(specs).map((prepared) => ({ name: prepared.name, transform: prepared.compile() }));
}

/** Size of the pictures that a list gives, undefined when it depends on those that come in. */
export function sizeOf(specs: readonly TransformSpec[]): Size | undefined {
  return prepareList(specs).reduce<Size | undefined>(
    (size, transform) => transform.outputSize(size),
    undefined,
  );
}
