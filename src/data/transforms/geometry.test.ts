import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { Affine, affineStep } from './affine.js';
import { Compose, HorizontalFlip, OneOf, SomeOf, VerticalFlip } from './index.js';
import { PadIfNeeded, padIfNeededStep } from './pad-if-needed.js';
import { Picture } from './picture.js';
import { RandomCrop, randomCropStep } from './random-crop.js';
import { RandomResizedCrop, randomResizedCropStep } from './random-resized-crop.js';
import { transforms } from './registry.js';
import { borderModes } from './resampling/border.js';
import { interpolations } from './resampling/interpolation.js';
import { Resize } from './resize.js';
import { affineRanges, ShiftScaleRotate } from './shift-scale-rotate.js';
import { SmallestMaxSize, smallestMaxSizeStep } from './smallest-max-size.js';
import type { CompiledTransform, TransformSpec } from './transform.js';

function compiled(spec: TransformSpec): CompiledTransform {
  const transform = transforms.get(spec.name);
  const prepared = transform?.prepare(spec.options, (specs) =>
    specs.map((each) => {
      const child = transforms.get(each.name)?.prepare(each.options, () => []);
      if (child?.kind !== 'transform') throw new Error(`${each.name} cannot be within another`);
      return child;
    }),
  );
  if (prepared?.kind !== 'transform') throw new Error(`no transform ${spec.name}`);
  return prepared.compile();
}

const stream = () => new RandomStream(7, randomPurpose.trainTransforms);

/** A picture whose buffer holds values of 100 to 199 in it, and others around it. */
function marked(width: number, height: number): Picture {
  const picture = new Picture();
  const around = { left: 2, top: 3, right: 1, bottom: 2 };
  const fullWidth = width + around.left + around.right;
  const fullHeight = height + around.top + around.bottom;
  const pixels = picture.load(fullWidth, fullHeight).fill(0);
  picture.crop(around.left, around.top, width, height);
  for (let row = 0; row < height; row++) {
    const from = ((around.top + row) * fullWidth + around.left) * 3;
    for (let at = from; at < from + 3 * width; at++) pixels[at] = 100 + (at % 100);
  }
  return picture;
}

const interpolation = fc.constantFrom(...interpolations);
const borderMode = fc.constantFrom(...borderModes);
const side = fc.integer({ min: 1, max: 19 });
const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const fill = fc.constant(150);

const anyGeometry = fc.oneof(
  fc
    .record({
      scale: number(0.01, 4),
      rotate: number(-360, 360),
      shear: number(-80, 80),
      translatePercent: number(-3, 3),
      interpolation,
      borderMode,
      fill,
    })
    .map((options) => Affine({ ...options, p: 1 })),
  fc.record({ height: side, width: side, interpolation }).map((options) => Resize(options)),
  fc.record({ maxSize: side, interpolation }).map((options) => SmallestMaxSize(options)),
  fc.record({ size: fc.tuple(side, side), interpolation }).map((options) => RandomResizedCrop(options)),
  fc
    .record({
      minHeight: side,
      minWidth: side,
      borderMode,
      fill,
      position: fc.constantFrom('center', 'random'),
    })
    .map((options) => PadIfNeeded(options as Parameters<typeof PadIfNeeded>[0] & object)),
  fc.constant(HorizontalFlip({ p: 1 })),
  fc.constant(VerticalFlip({ p: 1 })),
);

const anyComposition = fc.array(
  fc.oneof(
    anyGeometry,
    fc.array(anyGeometry, { minLength: 1, maxLength: 3 }).map((list) => OneOf(list, { p: 1 })),
    fc.array(anyGeometry, { minLength: 2, maxLength: 3 }).map((list) => SomeOf(list, { n: 2 })),
    fc.array(anyGeometry, { minLength: 1, maxLength: 3 }).map((list) => Compose(list)),
  ),
  { minLength: 1, maxLength: 5 },
);

describe('any composition of geometric transforms', () => {
  it('never reads beyond the picture, from 1 x 1 on', () => {
    fc.assert(
      fc.property(side, side, anyComposition, fc.nat(1000), (width, height, specs, seed) => {
        const picture = marked(width, height);
        const random = new RandomStream(seed, randomPurpose.trainTransforms);
        // a picture of 0 around one of 100 to 199: whatever is read from there shows
        const cubic = JSON.stringify(specs).includes('cubic');
        for (const spec of specs) compiled(spec).apply(picture, random);
        picture.compact();
        const bytes = picture.pixels.subarray(0, picture.width * picture.height * 3);
        expect(bytes.length).toBe(picture.width * picture.height * 3);
        if (!cubic) {
          expect(Math.min(...bytes)).toBeGreaterThanOrEqual(100);
          expect(Math.max(...bytes)).toBeLessThan(200);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('a flat picture stays flat, by any interpolation', () => {
    fc.assert(
      fc.property(side, side, anyComposition, fc.nat(1000), (width, height, specs, seed) => {
        const picture = marked(width, height);
        for (let row = 0; row < height; row++) {
          const from = picture.offset + row * picture.stride;
          picture.pixels.fill(150, from, from + 3 * width);
        }
        const random = new RandomStream(seed, randomPurpose.trainTransforms);
        for (const spec of specs) compiled(spec).apply(picture, random);
        picture.compact();
        const bytes = picture.pixels.subarray(0, picture.width * picture.height * 3);
        expect(bytes.every((value) => value === 150)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same whether the pixels are made at once or when they are asked for', () => {
    const crop = fc.tuple(number(0, 1), number(0, 1), number(0, 1), number(0, 1));
    fc.assert(
      fc.property(
        side,
        side,
        anyGeometry,
        crop,
        fc.boolean(),
        fc.boolean(),
        (width, height, spec, part, flip, turn) => {
          const [lazy, eager] = [marked(width, height), marked(width, height)];
          for (const picture of [lazy, eager]) {
            const settle = (): void => {
              if (picture === eager) picture.compact();
            };
            compiled(spec).apply(picture, stream());
            settle();
            if (flip) picture.mirror();
            settle();
            picture.map(Uint8Array.from({ length: 768 }, (_, at) => 255 - (at & 255)));
            settle();
            if (turn) picture.turnUpsideDown();
            settle();
            const newWidth = 1 + Math.floor(part[0] * (picture.width - 1));
            const newHeight = 1 + Math.floor(part[1] * (picture.height - 1));
            const left = Math.floor(part[2] * (picture.width - newWidth));
            const top = Math.floor(part[3] * (picture.height - newHeight));
            picture.crop(left, top, newWidth, newHeight);
            settle();
            if (turn) picture.mirror();
            picture.compact();
          }
          const bytes = 3 * lazy.width * lazy.height;
          expect([lazy.width, lazy.height]).toEqual([eager.width, eager.height]);
          expect(lazy.pixels.subarray(0, bytes).equals(eager.pixels.subarray(0, bytes))).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});

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

describe('options', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a scale of 0', () => Affine({ scale: 0 }), /Affine: scale/],
    ['a range upside down', () => Affine({ rotate: [5, -5] }), /Affine: rotate/],
    ['a shear of 90 degrees', () => Affine({ shear: 90 }), /Affine: shear/],
    ['both translations', () => Affine({ translatePx: 1, translatePercent: 0.1 }), /cannot both be given/],
    ['an unknown border', () => Affine({ borderMode: 'mirror' as never }), /Affine: borderMode/],
    ['a fill of 300', () => Affine({ fill: 300 }), /Affine: fill/],
    ['a shift above 1', () => ShiftScaleRotate({ shiftLimit: 1.5 }), /ShiftScaleRotate: shiftLimit/],
    ['a scale limit of -1', () => ShiftScaleRotate({ scaleLimit: [-1, 0] }), /ShiftScaleRotate: scaleLimit/],
    ['no size', () => RandomResizedCrop({} as never), /RandomResizedCrop lacks the option 'size'/],
    [
      'an area above 1',
      () => RandomResizedCrop({ size: [4, 4], scale: [0.5, 2] }),
      /RandomResizedCrop: scale/,
    ],
    ['no least width', () => PadIfNeeded({ minHeight: 4 }), /minWidth or padWidthDivisor/],
    [
      'a slip',
      () => Resize({ height: 4, width: 4, interpolaton: 'cubic' } as never),
      /no option 'interpolaton'/,
    ],
    ['no lengths', () => SmallestMaxSize({ maxSize: [] }), /SmallestMaxSize: maxSize/],
    ['a crop of nothing', () => RandomCrop({ height: 0, width: 4 }), /RandomCrop: height/],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(UserError);
    expect(action).toThrow(message);
  });

  it('that were checked are checked to the same', () => {
    for (const spec of [
      Affine({ scale: 1.1, rotate: 5, shear: { x: 3 }, translatePx: [1, 2], fill: [1, 2, 3] }),
      ShiftScaleRotate({ shiftLimitX: 0.1, rotateLimit: 20 }),
      RandomResizedCrop({ size: [4, 5] }),
      SmallestMaxSize({ maxSize: [4, 5] }),
      PadIfNeeded({ padHeightDivisor: 4, minWidth: 3 }),
    ]) {
      const back = JSON.parse(JSON.stringify(spec)) as TransformSpec;
      const factory = transforms.get(spec.name) as unknown as (options: unknown) => TransformSpec;
      expect(factory(back.options)).toEqual(spec);
    }
  });
});
