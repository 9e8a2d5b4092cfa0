import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { type Noise, NoiseMap } from './noise-map.js';
import type { Picture } from './picture.js';
import { defineTransform } from './transform.js';
import { drawFrom, type Range, valueRange } from './value-range.js';

interface Options {
  readonly stdRange: Range;
  readonly meanRange: Range;
}

export function draw(options: Options, _picture: Picture, random: RandomStream): Noise {
  const sigma = 255 * drawFrom(options.stdRange, random);
  const mean = 255 * drawFrom(options.meanRange, random);
  return { sigma, mean, low: random.uint32(), high: random.uint32() };
}

export function apply(picture: Picture, noise: Noise, map: NoiseMap): void {
  map.addTo(picture, noise);
}

/**
 * Adds normally distributed noise, its standard deviation and mean as parts of 255: to each channel its own, or
 * the same to all three without `perChannel`. A `noiseScaleFactor` below 1 draws it for a picture smaller by
 * that factor and enlarges it.
 * @example GaussNoise({ stdRange: [0.02, 0.1], p: 0.3 })
 */
export const GaussNoise = defineTransform({
  name: 'GaussNoise',
  options: {
    stdRange: valueRange({ within: [0, 1], default: [0.2, 0.44] }),
    meanRange: valueRange({ within: [-1, 1], default: [0, 0] }),
    perChannel: z.boolean().default(true),
    noiseScaleFactor: z
      .number()
      .max(1, 'it must be above 0 and at most 1')
      .gt(0, 'it must be above 0 and at most 1')
      .default(1),
  },
  p: 0.5,
  compile: (options) => {
    const map = new NoiseMap(options);
    return (picture, random) => apply(picture, draw(options, picture, random), map);
  },
});
