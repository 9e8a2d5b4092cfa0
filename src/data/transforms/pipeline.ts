import { UserError } from '../../errors.js';
import type { RandomStream } from '../../random/random-stream.js';
import { didYouMean } from '../../read-options.js';
import { applyAll, minimumInputOf, sizeAfter } from './composition.js';
import { type Picture, PictureRejection } from './picture.js';
import { PlanarWriter } from './planar-writer.js';
import { type TransformRegistry, transforms } from './registry.js';
import { Compose } from './sequential.js';
import {
  type Normalization,
  type Prepared,
  type PreparedTransform,
  type Size,
  sameSize,
  type TransformSpec,
} from './transform.js';

/**
 * Transforms the picture, its draws taken from `random`, and writes it normalised, in planes (CHW), to
 * 3 * height * width floats of `out` from index `at` on.
 * @throws PictureRejection when the picture does not fit
 */
export type PictureFunction = (picture: Picture, random: RandomStream, out: Float32Array, at: number) => void;

/** A list of transforms whose options and sizes have been checked; `compile` makes it ready to run. */
export class Pipeline {
  /** Size of the pictures that come out. */
  readonly size: Size;
  readonly normalization: Normalization;
  /** Smallest picture that the transforms take, where that can be said. */
  readonly minimumInput: Size | undefined;
  readonly #transforms: readonly PreparedTransform[];

  /**
   * @param specs in the order in which they are applied; `Normalize` may only be the last
   * @param options.size of the pictures that have to come out
   * @param options.normalization for when the specs do not say it
   * @throws UserError naming the transform and what is wrong with it
   */
  constructor(
    specs: readonly TransformSpec[],
    options: { size: Size; normalization: Normalization; registry?: TransformRegistry },
  ) {
    const { size, normalization, registry = transforms } = options;
    const prepared = specs.flatMap(unwrapped).map((spec) => prepare(spec, registry));
    const last = prepared.at(-1);
    this.size = size;
    this.normalization = last?.kind === 'normalization' ? last.resolve(normalization) : normalization;
    this.#transforms = onlyTransforms(last?.kind === 'normalization' ? prepared.slice(0, -1) : prepared);
    this.minimumInput = minimumInputOf(this.#transforms);
    const output = sizeAfter(this.#transforms, undefined);
    if (output && !sameSize(output, size)) {
      throw new UserError(
        `the transforms give pictures of ${output.height} x ${output.width}, the network takes ${size.height} x ${size.width} (height x width)`,
        { hint: 'Give the crop transform the size of the network, or the network that of the transform.' },
      );
    }
  }

  /** The pipeline with its buffers and tables, for one thread. */
  compile(): PictureFunction {
    const steps = this.#transforms.map((transform) => transform.compile());
    const writer = new PlanarWriter(this.normalization);
    const { height, width } = this.size;
    return (picture, random, out, at) => {
      applyAll(steps, picture, random);
      if (picture.height !== height || picture.width !== width) {
        throw new PictureRejection(
          `${picture.width} x ${picture.height} pixels after the transforms, not ${width} x ${height}`,
        );
      }
      writer.write(picture, out, at);
    };
  }
}

/** Size of the pictures that come out of transforms; undefined where they do not say. */
export function outputSizeOf(specs: readonly TransformSpec[]): Size | undefined {
  const prepared = specs.flatMap(unwrapped).map((spec) => prepare(spec, transforms));
  return sizeAfter(
    prepared.filter((each) => each.kind === 'transform'),
    undefined,
  );
}

/** What stands in a `Compose` that is always applied, which may end with `Normalize`; else the transform itself. */
function unwrapped(spec: TransformSpec): readonly TransformSpec[] {
  const { transforms, p } = (spec.options ?? {}) as { transforms?: unknown; p?: unknown };
  const plain = spec.name === Compose.transformName && (p ?? 1) === 1 && Array.isArray(transforms);
  return plain ? transforms.flatMap(unwrapped) : [spec];
}

function prepare(spec: TransformSpec, registry: TransformRegistry): Prepared {
  const { name, options } = spec;
  const transform = registry.get(name);
  if (!transform) {
    const known = [...registry.keys()];
    throw new UserError(`there is no transform ${name}`, {
      hint: `${didYouMean(String(name), known)}the transforms are ${known.join(', ')}.`,
    });
  }
  return transform.prepare(options, (children) =>
    onlyTransforms(children.map((child) => prepare(child, registry))),
  );
}

function onlyTransforms(list: readonly Prepared[]): PreparedTransform[] {
  return list.map((prepared) => {
    if (prepared.kind === 'transform') return prepared;
    throw new UserError('Normalize is not the last transform', {
      hint: 'Every other transform works on pixels of 0 to 255: put Normalize at the end of the list.',
    });
  });
}
