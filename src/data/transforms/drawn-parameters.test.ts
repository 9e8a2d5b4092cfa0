import { describe, expect, it } from 'vitest';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { Affine, affineStep } from './affine.js';
import { PadIfNeeded, padIfNeededStep } from './pad-if-needed.js';
import { randomCropStep } from './random-crop.js';
import { randomResizedCropStep } from './random-resized-crop.js';
import { affineRanges, ShiftScaleRotate } from './shift-scale-rotate.js';
import { smallestMaxSizeStep } from './smallest-max-size.js';

const stream = () => new RandomStream(7, randomPurpose.trainTransforms);

/** Chi-square of values that should be spread evenly from `low` to below `high`, over 10 classes. */
function chiSquare(values: readonly number[], low: number, high: number): number {
  const counts = new Array<number>(10).fill(0);
  for (const value of values) {
    expect(value).toBeGreaterThanOrEqual(low);
    expect(value).toBeLessThanOrEqual(high);
    const index = Math.min(9, Math.floor((10 * (value - low)) / (high - low)));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const expected = values.length / 10;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Upper 1e-4 quantile for 9 degrees of freedom. */
const limit = 33.72;
const draws = 3000;

function drawn<Value>(draw: () => Value): Value[] {
  return Array.from({ length: draws }, draw);
}

describe('drawn parameters', () => {
  const size = { height: 300, width: 400 };

  it('Affine: each part evenly from its range, x and y by themselves', () => {
    const random = stream();
    const step = affineStep(
      Affine({
        scale: { x: [0.5, 2], y: [1, 3] },
        rotate: [-30, 10],
        shear: { x: [-5, 5], y: [2, 4] },
        translatePercent: { x: [-0.5, 0.5], y: [0.1, 0.3] },
      }).options as never,
    );
    const all = drawn(() => structuredClone(step.draw(size, random)));
    expect(
      chiSquare(
        all.map(({ scale }) => scale.x),
        0.5,
        2,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ scale }) => scale.y),
        1,
        3,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ rotate }) => rotate),
        -30,
        10,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ shear }) => -shear.x),
        -5,
        5,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ shear }) => -shear.y),
        2,
        4,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ translate }) => translate.x + 0.5),
        -200,
        200.5,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ translate }) => translate.y),
        30,
        90,
      ),
    ).toBeLessThan(limit);
    expect(all.every(({ translate }) => Number.isInteger(translate.x) && Number.isInteger(translate.y))).toBe(
      true,
    );
  });

  it('Affine: keepRatio, balancedScale and translatePx', () => {
    const random = stream();
    const ratio = affineStep(Affine({ scale: [0.5, 2], keepRatio: true }).options as never);
    expect(drawn(() => ratio.draw(size, random)).every(({ scale }) => scale.x === scale.y)).toBe(true);
    const balanced = affineStep(Affine({ scale: [0.5, 3], balancedScale: true }).options as never);
    const scales = drawn(() => balanced.draw(size, random).scale.x);
    const [small, large] = [scales.filter((scale) => scale < 1), scales.filter((scale) => scale >= 1)];
    expect(Math.abs(small.length / draws - 0.5)).toBeLessThan(0.04);
    expect(chiSquare(small, 0.5, 1)).toBeLessThan(limit);
    expect(chiSquare(large, 1, 3)).toBeLessThan(limit);
    const pixels = affineStep(Affine({ translatePx: { x: [-5, 4], y: 3 } }).options as never);
    const moved = drawn(() => ({ ...pixels.draw(size, random).translate }));
    expect(
      chiSquare(
        moved.map(({ x }) => x + 0.5),
        -5,
        5,
      ),
    ).toBeLessThan(limit);
    expect(new Set(moved.map(({ y }) => y))).toEqual(new Set([3]));
  });

  it('ShiftScaleRotate: the original’s always turns by -15 degrees', () => {
    const random = stream();
    const options = ShiftScaleRotate({ rotateLimit: [-15, -15] }).options as never;
    const step = affineStep({ ...(options as object), ...affineRanges(options) } as never);
    const all = drawn(() => structuredClone(step.draw(size, random)));
    expect(new Set(all.map(({ rotate }) => rotate))).toEqual(new Set([-15]));
    expect(
      chiSquare(
        all.map(({ scale }) => scale.x),
        0.9,
        1.1,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        all.map(({ scale }) => scale.y),
        0.9,
        1.1,
      ),
    ).toBeLessThan(limit);
    expect(Math.max(...all.map(({ translate }) => Math.abs(translate.x)))).toBe(24);
    expect(Math.max(...all.map(({ translate }) => Math.abs(translate.y)))).toBe(18);
    expect(ShiftScaleRotate({ rotateLimit: 15, scaleLimit: 0.2 }).options).toMatchObject({
      rotateLimit: [-15, 15],
      scaleLimit: [-0.2, 0.2],
    });
  });

  it('RandomCrop: every place', () => {
    const random = stream();
    const step = randomCropStep({ height: 291, width: 381 });
    const places = drawn(() => ({ ...step.draw(size, random) }));
    expect(
      chiSquare(
        places.map(({ top }) => top + 0.5),
        0,
        10,
      ),
    ).toBeLessThan(limit);
    expect(
      chiSquare(
        places.map(({ left }) => left + 0.5),
        0,
        20,
      ),
    ).toBeLessThan(limit);
  });

  it('RandomResizedCrop: area and logarithm of the ratio evenly, all of it within the picture', () => {
    const random = stream();
    const options = { size: [224, 224], scale: [0.1, 0.4], ratio: [0.5, 2] } as const;
    const step = randomResizedCropStep({ ...options, interpolation: 'linear' });
    const parts = drawn(() => ({ ...step.draw({ height: 4000, width: 4000 }, random) }));
    const area = parts.map(({ width, height }) => (width * height) / 16e6);
    expect(
      chiSquare(
        area.map((part) => Math.min(0.4, Math.max(0.1, part))),
        0.1,
        0.4,
      ),
    ).toBeLessThan(limit);
    const ratios = parts.map(({ width, height }) => Math.max(-1, Math.min(1, Math.log2(width / height))));
    expect(chiSquare(ratios, -1, 1)).toBeLessThan(limit);
    expect(parts.every(({ left, width }) => left >= 0 && left + width <= 4000)).toBe(true);
    expect(parts.every(({ top, height }) => top >= 0 && top + height <= 4000)).toBe(true);
    // the place is even within what is left
    const places = parts.map(({ left, width }) => (left + 0.5) / (4000 - width + 1));
    expect(chiSquare(places, 0, 1)).toBeLessThan(limit);
  });

  it('SmallestMaxSize and PadIfNeeded: one of the list, any place', () => {
    const random = stream();
    const step = smallestMaxSizeStep({ maxSize: [10, 20, 30, 40], interpolation: 'linear' });
    const sides = drawn(() => step.draw(size, random));
    expect(new Set(sides)).toEqual(new Set([10, 20, 30, 40]));
    for (const length of [10, 20, 30, 40]) {
      expect(Math.abs(sides.filter((each) => each === length).length / draws - 0.25)).toBeLessThan(0.035);
    }
    const options = PadIfNeeded({ minHeight: 309, minWidth: 100, position: 'random' }).options;
    const pad = padIfNeededStep(options as never);
    const pads = drawn(() => ({ ...pad.draw(size, random) }));
    expect(pads.every(({ top, bottom, left, right }) => top + bottom === 9 && left + right === 0)).toBe(true);
    expect(
      chiSquare(
        pads.map(({ top }) => top + 0.5),
        0,
        10,
      ),
    ).toBeLessThan(limit);
  });
});
