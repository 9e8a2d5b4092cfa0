import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/random-stream.js';
import * as coarseDropout from './coarse-dropout.js';
import * as colorJitter from './color-jitter.js';
import * as gaussNoise from './gauss-noise.js';
import * as gaussianBlur from './gaussian-blur.js';
import * as hueSaturationValue from './hue-saturation-value.js';
import { NoiseMap } from './noise-map.js';
import { normalQuantiles } from './normal-quantiles.js';
import { Picture } from './picture.js';
import * as brightnessContrast from './random-brightness-contrast.js';

const draws = 20_000;

function flat(height: number, width: number, level: number): Picture {
  const picture = new Picture();
  picture.load(width, height).fill(level);
  return picture;
}

/** Draws of many samples, from a fixed seed, as the loader makes them. */
function sample<Drawn>(draw: (random: RandomStream) => Drawn): Drawn[] {
  const random = new RandomStream(7, 1);
  return Array.from({ length: draws }, (_, index) => {
    random.seek(0, index);
    return draw(random);
  });
}

/**
 * Largest distance between the share of values below x and what a uniform distribution has there; below
 * 1.63 / sqrt(draws) with a chance of 99 %.
 */
function distanceFromUniform(values: readonly number[], [least, most]: readonly [number, number]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.reduce((worst, value, index) => {
    const expected = (value - least) / (most - least);
    return Math.max(
      worst,
      Math.abs(expected - index / sorted.length),
      Math.abs(expected - (index + 1) / sorted.length),
    );
  }, 0);
}

function expectUniform(values: readonly number[], range: readonly [number, number]): void {
  expect(distanceFromUniform(values, range)).toBeLessThan(1.63 / Math.sqrt(draws));
}

/** Whole numbers of the range, all about equally often. */
function expectEven(values: readonly number[], [least, most]: readonly [number, number]): void {
  const counts = new Array<number>(most - least + 1).fill(0);
  for (const value of values) (counts[value - least] as number)++;
  const expected = values.length / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
  // far above the 99.9th percentile for any number of classes here
  expect(chiSquare).toBeLessThan(counts.length + 5 * Math.sqrt(2 * counts.length));
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

describe('draws of the pixel transforms', () => {
  const picture = flat(40, 60, 100);

  it('RandomBrightnessContrast: uniform; of 255 or of the mean', () => {
    const limits = { brightnessLimit: [-0.3, 0.1], contrastLimit: [-0.2, 0.4] } as const;
    const byMax = { ...limits, brightnessByMax: true, ensureSafeRange: false };
    const drawn = sample((random) => brightnessContrast.draw(byMax, picture, random));
    expectUniform(
      drawn.map(({ alpha }) => alpha),
      [0.8, 1.4],
    );
    expectUniform(
      drawn.map(({ beta }) => beta),
      [-0.3 * 255, 0.1 * 255],
    );
    const byMean = sample((random) =>
      brightnessContrast.draw({ ...byMax, brightnessByMax: false }, picture, random),
    );
    expectUniform(
      byMean.map(({ beta }) => beta),
      [-30, 10],
    );
  });

  it('RandomBrightnessContrast: a safe range cuts nothing off', () => {
    const options = {
      brightnessLimit: [-0.5, 0.5],
      contrastLimit: [-1, 1],
      brightnessByMax: true,
      ensureSafeRange: true,
    } as const;
    const ends = sample((random) => brightnessContrast.draw(options, picture, random)).flatMap(
      ({ alpha, beta }) => [beta, 255 * alpha + beta],
    );
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(-1e-9);
    expect(Math.max(...ends)).toBeLessThanOrEqual(255 + 1e-9);
  });

  it('HueSaturationValue: uniform', () => {
    const options = { hueShiftLimit: [-20, 10], satShiftLimit: [-30, 30], valShiftLimit: [5, 9] } as const;
    const drawn = sample((random) => hueSaturationValue.draw(options, picture, random));
    expectUniform(
      drawn.map(({ hueShift }) => hueShift),
      options.hueShiftLimit,
    );
    expectUniform(
      drawn.map(({ satShift }) => satShift),
      options.satShiftLimit,
    );
    expectUniform(
      drawn.map(({ valShift }) => valShift),
      options.valShiftLimit,
    );
  });

  it('ColorJitter: uniform, in each of the 24 orders', () => {
    const options = { brightness: [0.5, 2], contrast: [0, 1], saturation: [1, 3], hue: [-0.1, 0.5] } as const;
    const drawn = sample((random) => colorJitter.draw(options, picture, random));
    expectUniform(
      drawn.map(({ brightness }) => brightness),
      options.brightness,
    );
    expectUniform(
      drawn.map(({ contrast }) => contrast),
      options.contrast,
    );
    expectUniform(
      drawn.map(({ saturation }) => saturation),
      options.saturation,
    );
    expectUniform(
      drawn.map(({ hue }) => hue),
      options.hue,
    );
    const orders = new Map<string, number>();
    for (const { order } of drawn) {
      const key = Array.from(order).join('');
      orders.set(key, (orders.get(key) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    const numbered = [...orders.values()].flatMap((count, index) => new Array<number>(count).fill(index));
    expectEven(numbered, [0, 23]);
    expect([...orders.keys()].every((order) => [...order].toSorted().join('') === '0123')).toBe(true);
  });

  it('GaussianBlur: sigma uniform, sizes equally often', () => {
    const options = { sigmaLimit: [0.5, 3], blurLimit: [3, 7] } as const;
    const drawn = sample((random) => gaussianBlur.draw(options, picture, random));
    expectUniform(
      drawn.map(({ sigma }) => sigma),
      options.sigmaLimit,
    );
    expectEven(
      drawn.map(({ size }) => size),
      options.blurLimit,
    );
  });

  it('CoarseDropout: number, sizes and places of the holes', () => {
    const options = { numHolesRange: [1, 3], holeHeightRange: [5, 8], holeWidthRange: [0, 70] } as const;
    const drawn = sample((random) => coarseDropout.draw(options, picture, random));
    expectEven(
      drawn.map(({ count }) => count),
      [1, 3],
    );
    const holes = drawn.map(({ holes }) => Array.from(holes).slice(0, 4) as [number, number, number, number]);
    expectEven(
      holes.map(([, top, , bottom]) => bottom - top),
      [5, 8],
    );
    // never wider than the picture
    expectEven(
      holes.map(([left, , right]) => right - left),
      [0, 60],
    );
    const ofHeight8 = holes.filter(([, top, , bottom]) => bottom - top === 8);
    expectEven(
      ofHeight8.map(([, top]) => top),
      [0, 32],
    );
    const parts = { ...options, holeHeightRange: [0.1, 0.2], holeWidthRange: [0.5, 0.5] } as const;
    const sizes = sample((random) => coarseDropout.draw(parts, picture, random)).map(({ holes }) => {
      const [left = 0, top = 0, right = 0, bottom = 0] = Array.from(holes);
      return `${right - left} x ${bottom - top}`;
    });
    expect([...new Set(sizes)].toSorted()).toEqual(['30 x 4', '30 x 5', '30 x 6', '30 x 7']);
  });

  it('GaussNoise: sigma and mean uniform', () => {
    const options = { stdRange: [0.1, 0.3], meanRange: [-0.1, 0.2] } as const;
    const drawn = sample((random) => gaussNoise.draw(options, picture, random));
    expectUniform(
      drawn.map(({ sigma }) => sigma / 255),
      options.stdRange,
    );
    expectUniform(
      drawn.map(({ mean }) => mean / 255),
      options.meanRange,
    );
    expect(new Set(drawn.map(({ low, high }) => `${low} ${high}`)).size).toBe(draws);
  });
});

describe('noise', () => {
  const side = 300;
  const noiseOf = (perChannel: boolean, noiseScaleFactor: number, row?: number): number[] => {
    const picture = flat(side, side, 128);
    new NoiseMap({ perChannel, noiseScaleFactor }).addTo(picture, {
      sigma: 20,
      mean: 3,
      low: 5,
      high: row ?? 6,
    });
    return Array.from(picture.pixels.subarray(0, side * side * 3), (byte) => byte - 128);
  };

  const moments = (values: readonly number[]) => {
    const center = mean(values);
    const variance = mean(values.map((value) => (value - center) ** 2));
    const fourth = mean(values.map((value) => (value - center) ** 4));
    return { center, sigma: Math.sqrt(variance), kurtosis: fourth / variance ** 2 };
  };
  const random = new RandomStream(3, 2);
  /** The same distribution by another way: Box-Muller, cut off towards 0. */
  const expected = moments(Array.from({ length: 500_000 }, () => Math.trunc(3 + 20 * random.normal())));

  it('is normally distributed, each channel and neighbour on its own', () => {
    const values = noiseOf(true, 1);
    const { center, sigma, kurtosis } = moments(values);
    expect(Math.abs(center - expected.center)).toBeLessThan(0.15);
    expect(Math.abs(sigma - expected.sigma)).toBeLessThan(0.1);
    expect(Math.abs(kurtosis - expected.kurtosis)).toBeLessThan(0.04);
    for (const lag of [1, 2, 3, side * 3]) {
      const products = values
        .slice(lag)
        .map((value, at) => (value - center) * ((values[at] as number) - center));
      expect(Math.abs(mean(products) / sigma ** 2)).toBeLessThan(0.01);
    }
    expect(noiseOf(true, 1, 7)).not.toEqual(values);
    expect(noiseOf(true, 1)).toEqual(values);
  });

  it('is the same in all channels without perChannel, and smooth when enlarged', () => {
    const shared = noiseOf(false, 1);
    expect(shared.every((value, at) => value === shared[at - (at % 3)])).toBe(true);
    expect(Math.abs(moments(shared).sigma - expected.sigma)).toBeLessThan(0.25);
    const enlarged = noiseOf(true, 0.1);
    const steps = enlarged.slice(3).map((value, at) => Math.abs(value - (enlarged[at] as number)));
    expect(mean(steps)).toBeLessThan(6);
    expect(
      mean(
        noiseOf(true, 1)
          .slice(3)
          .map((value, at, all) => Math.abs(value - (all[at + 3] ?? 0))),
      ),
    ).toBeGreaterThan(15);
  });

  it('has quantiles in order, symmetric, of variance 1', () => {
    const quantiles = normalQuantiles();
    expect(quantiles.every((value, at) => at === 0 || value > (quantiles[at - 1] as number))).toBe(true);
    expect(quantiles.every((value, at) => value === -(quantiles[65535 - at] as number))).toBe(true);
    expect(mean(Array.from(quantiles, (value) => value * value))).toBeCloseTo(1, 3);
    // 97.5 % lie below 1.959964
    expect(quantiles[Math.round(0.975 * 65536)]).toBeCloseTo(1.96, 2);
    expect(quantiles[65535]).toBeCloseTo(4.325, 2);
  });
});
