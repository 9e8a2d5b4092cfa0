import { applyAll, asComposition, children, minimumInputOf, sizeAfter } from './composition.js';
import { defineTransform } from './transform.js';

/** All transforms, one after the other, each with its own probability. */
const oneAfterTheOther = (name: string, p: number) =>
  asComposition(
    defineTransform({
      name,
      options: children,
      p,
      children: ({ transforms }) => transforms,
      outputSize: (_, input, within) => sizeAfter(within, input),
      minimumInput: (_, within) => minimumInputOf(within),
      compile: (_, within) => (picture, random) => applyAll(within, picture, random),
    }),
  );

/**
 * Transforms that belong together, all or none of them, such as within `OneOf`; each keeps its own probability.
 * @example OneOf([Sequential([VerticalFlip(), Affine({ rotate: [-5, 5] })], { p: 1 }), HorizontalFlip()])
 */
export const Sequential = oneAfterTheOther('Sequential', 0.5);

/**
 * The same as `Sequential`, but always applied unless it is told otherwise.
 * @example Compose([HorizontalFlip(), RandomCrop({ height: 224, width: 224 })])
 */
export const Compose = oneAfterTheOther('Compose', 1);
