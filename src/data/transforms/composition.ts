import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import type { Picture } from './picture.js';
import {
  applyByChance,
  type CompiledTransform,
  type PreparedTransform,
  type Size,
  type TransformFactory,
  type TransformSpec,
} from './transform.js';

/** Schema of the transforms within another one; their own options are checked by themselves. */
export const children = {
  transforms: z
    .array(
      z.strictObject({
        name: z.string(),
        options: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .min(1),
};

type Children = readonly TransformSpec[];

/** A factory that also takes the transforms alone, and the other options after them. */
export type Composition<Input extends { transforms: unknown }> = TransformFactory<Input> &
  ((transforms: Children, options?: Omit<Input, 'transforms'>) => TransformSpec);

/** Lets a factory be called as `OneOf([a, b], { p: 1 })`, too. */
export function asComposition<Input extends { transforms: unknown }>(
  factory: TransformFactory<Input>,
): Composition<Input> {
  const make = factory as (options: unknown) => TransformSpec;
  const call = (first: unknown, options?: object): TransformSpec =>
    make(Array.isArray(first) ? { ...options, transforms: first } : first);
  const { transformName, prepare } = factory;
  return Object.assign(call, { transformName, prepare }) as unknown as Composition<Input>;
}

/** Size of the pictures after all transforms, one after the other. */
export function sizeAfter(list: readonly PreparedTransform[], input: Size | undefined): Size | undefined {
  return list.reduce((size: Size | undefined, transform) => transform.outputSize(size), input);
}

/** Smallest picture that all transforms take, one after the other, where that can be said. */
export function minimumInputOf(list: readonly PreparedTransform[]): Size | undefined {
  return list.find(({ minimumInput, changesSize }) => minimumInput || changesSize)?.minimumInput;
}

/** Applies all transforms, each with its own probability. */
export function applyAll(list: readonly CompiledTransform[], picture: Picture, random: RandomStream): void {
  for (const transform of list) applyByChance(transform, picture, random);
}
