import { asComposition, children } from './composition.js';
import { defineTransform, sameSize } from './transform.js';

/**
 * One of the transforms by chance. Their probabilities only weigh them against each other: the one that is taken
 * is always applied. `p` is that of taking one at all.
 * @example OneOf([RandomBrightnessContrast({ p: 0.1 }), Equalize()], { p: 0.5 })
 */
export const OneOf = asComposition(
  defineTransform({
    name: 'OneOf',
    options: children,
    p: 0.5,
    children: ({ transforms }) => transforms,
    checkChildren: (within) =>
      within.every(({ p }) => p === 0) ? 'one transform at least must have a p above 0' : undefined,
    outputSize(_, input, within) {
      const [first, ...others] = within.map((child) => child.appliedSize(input));
      return others.every((size) => sameSize(first, size)) ? first : undefined;
    },
    compile: (_, within) => {
      const all = within.reduce((sum, { p }) => sum + p, 0);
      return (picture, random) => {
        let rest = random.uniform() * all;
        for (const { p, apply } of within) {
          // rounding may leave something after the last
          if (rest < p) return apply(picture, random);
          rest -= p;
        }
        within.findLast(({ p }) => p > 0)?.apply(picture, random);
      };
    },
  }),
);
