import { z } from 'zod';
import { asComposition, children, sizeAfter } from './composition.js';
import { applyByChance, defineTransform } from './transform.js';

/**
 * Picks `n` of the transforms, each equally likely, and applies them in their order, each with its own
 * probability. With `replace` the same one may be picked several times.
 * @example SomeOf([HorizontalFlip(), VerticalFlip(), Affine({ rotate: [-5, 5] })], { n: 2 })
 */
export const SomeOf = asComposition(
  defineTransform({
    name: 'SomeOf',
    options: {
      ...children,
      n: z.int().min(1).max(1000).default(1),
      replace: z.boolean().default(false),
    },
    p: 1,
    check: ({ n, replace, transforms }) =>
      !replace && n > transforms.length
        ? `n cannot be ${n} of ${transforms.length} transforms without replace`
        : undefined,
    children: ({ transforms }) => transforms,
    outputSize: (_, input, within) =>
      within.some(({ changesSize }) => changesSize) ? undefined : sizeAfter(within, input),
    compile: ({ n, replace }, within) => {
      const times = new Int32Array(within.length);
      return (picture, random) => {
        times.fill(0);
        if (replace) {
          for (let pick = 0; pick < n; pick++) {
            const index = random.below(times.length);
            times[index] = (times[index] as number) + 1;
          }
        } else {
          // each one with the chance that is left to it: every choice of n is equally likely
          for (let index = 0, left = n; left > 0; index++) {
            if (random.below(times.length - index) >= left) continue;
            times[index] = 1;
            left--;
          }
        }
        for (let index = 0; index < times.length; index++) {
          for (let time = times[index] as number; time > 0; time--) {
            applyByChance(within[index] as (typeof within)[number], picture, random);
          }
        }
      };
    },
  }),
);
