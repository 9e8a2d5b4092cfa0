import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { Affine } from './affine.js';
import { Compose, HorizontalFlip, OneOf, SomeOf, VerticalFlip } from './index.js';
import { PadIfNeeded } from './pad-if-needed.js';
import { Picture } from './picture.js';
import { RandomCrop } from './random-crop.js';
import { RandomResizedCrop } from './random-resized-crop.js';
import { transforms } from './registry.js';
import { borderModes } from './resampling/border.js';
import { interpolations } from './resampling/interpolation.js';
import { Resize } from './resize.js';
import { ShiftScaleRotate } from './shift-scale-rotate.js';
import { SmallestMaxSize } from './smallest-max-size.js';
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
