import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../errors.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { CenterCrop } from './center-crop.js';
import { HorizontalFlip } from './horizontal-flip.js';
import { Normalize } from './normalize.js';
import { Picture, PictureRejection } from './picture.js';
import { Pipeline } from './pipeline.js';
import { RandomCrop } from './random-crop.js';
import { registryOf, transforms } from './registry.js';
import { applyByChance, defineTransform, type Normalization, type TransformSpec } from './transform.js';

const plain: Normalization = { mean: [0, 0, 0], std: [1, 1, 1] };

/** Pixel (row, column, channel) of the test picture; neighbours and channels all differ. */
function pixel(row: number, column: number, channel: number): number {
  return (row * 31 + column * 7 + channel * 101) & 255;
}

function fill(picture: Picture, height: number, width: number): void {
  const pixels = picture.load(width, height);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) pixels[at++] = pixel(row, column, channel);
    }
  }
}

/** Runs specs on the test picture; the pixels as (row, column, channel) => value. */
function run(
  specs: readonly TransformSpec[],
  options: { from: [number, number]; to: [number, number]; seed?: number; registry?: typeof transforms },
): (row: number, column: number, channel: number) => number {
  const [height, width] = options.to;
  const { registry = transforms } = options;
  const transform = new Pipeline(specs, {
    size: { height, width },
    normalization: plain,
    registry,
  }).compile();
  const random = new RandomStream(options.seed ?? 0, randomPurpose.trainTransforms);
  const picture = new Picture();
  const floats = new Float32Array(3 * height * width + 2).fill(-1);
  // a first picture of another size leaves its traces in the buffers
  fill(picture, options.from[0] + 3, options.from[1] + 1);
  picture.mirror();
  picture.compact();
  fill(picture, ...options.from);
  transform(picture, random, floats, 1);
  expect([floats[0], floats.at(-1)]).toEqual([-1, -1]);
  return (row, column, channel) => floats[1 + (channel * height + row) * width + column] as number;
}

/** A crop within a picture: sizes of both. */
const sizes = fc
  .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }))
  .chain(([height, width]) =>
    fc.record({
      from: fc.constant<[number, number]>([height, width]),
      to: fc.tuple(fc.integer({ min: 1, max: height }), fc.integer({ min: 1, max: width })),
    }),
  );

function positions([height, width]: readonly [number, number]): Array<[number, number, number]> {
  const all: Array<[number, number, number]> = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) all.push([row, column, channel]);
    }
  }
  return all;
}

describe('RandomCrop', () => {
  it('cuts a whole part out of any picture, where its two draws say', () => {
    fc.assert(
      fc.property(sizes, fc.nat(1000), ({ from, to }, seed) => {
        const [height, width] = to;
        const out = run([RandomCrop({ height, width })], { from, to, seed });
        const random = new RandomStream(seed, randomPurpose.trainTransforms);
        const top = random.below(from[0] - height + 1);
        const left = random.below(from[1] - width + 1);
        for (const [row, column, channel] of positions(to)) {
          expect(out(row, column, channel)).toBe(pixel(top + row, left + column, channel));
        }
      }),
    );
  });

  it('reaches every place', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      seen.add(run([RandomCrop({ height: 2, width: 3 })], { from: [4, 5], to: [2, 3], seed })(0, 0, 0));
    }
    expect(seen.size).toBe(9);
  });
});

describe('CenterCrop', () => {
  it('cuts the middle out of any picture', () => {
    fc.assert(
      fc.property(sizes, ({ from, to }) => {
        const [height, width] = to;
        const out = run([CenterCrop({ height, width })], { from, to });
        const top = Math.floor((from[0] - height) / 2);
        const left = Math.floor((from[1] - width) / 2);
        for (const [row, column, channel] of positions(to)) {
          expect(out(row, column, channel)).toBe(pixel(top + row, left + column, channel));
        }
      }),
    );
  });
});

describe('HorizontalFlip', () => {
  it('swaps left and right, before a crop and after it', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), ({ from, to }, before) => {
        const [height, width] = to;
        const crop = CenterCrop({ height, width });
        const flip = HorizontalFlip({ p: 1 });
        const out = run(before ? [flip, crop] : [crop, flip], { from, to });
        const top = Math.floor((from[0] - height) / 2);
        const left = Math.floor((from[1] - width) / 2);
        for (const [row, column, channel] of positions(to)) {
          const source = before ? from[1] - 1 - (left + column) : left + width - 1 - column;
          expect(out(row, column, channel)).toBe(pixel(top + row, source, channel));
        }
      }),
    );
  });

  it('is its own inverse', () => {
    const twice = run([HorizontalFlip({ p: 1 }), HorizontalFlip({ p: 1 })], { from: [3, 5], to: [3, 5] });
    for (const at of positions([3, 5])) expect(twice(...at)).toBe(pixel(...at));
  });

  it('is applied with probability p', () => {
    const applied = (p: number): number => {
      let count = 0;
      for (let seed = 0; seed < 400; seed++) {
        const out = run([HorizontalFlip({ p })], { from: [1, 2], to: [1, 2], seed });
        if (out(0, 0, 0) === pixel(0, 1, 0)) count++;
      }
      return count / 400;
    };
    expect(applied(0)).toBe(0);
    expect(applied(1)).toBe(1);
    expect(Math.abs(applied(0.25) - 0.25)).toBeLessThan(0.07);
  });
});

describe('Normalize', () => {
  it('gives (pixel - mean) / std of each channel, its own or the dataset’s', () => {
    const mean = [100, 110, 120.5] as const;
    const std = [50, 60, 70.25] as const;
    for (const [specs, expected] of [
      [[], { mean, std }],
      [[Normalize()], { mean, std }],
      [[Normalize({ std: [1, 2, 3] })], { mean, std: [1, 2, 3] }],
      [[Normalize({ mean: [9, 8, 7], std: [1, 2, 3] })], { mean: [9, 8, 7], std: [1, 2, 3] }],
    ] as const) {
      const size = { height: 2, width: 3 };
      const pipeline = new Pipeline(specs, { size, normalization: { mean: [...mean], std: [...std] } });
      const picture = new Picture();
      fill(picture, 2, 3);
      const floats = new Float32Array(18);
      pipeline.compile()(picture, new RandomStream(0, 1), floats, 0);
      for (const [row, column, channel] of positions([2, 3])) {
        const value =
          (pixel(row, column, channel) - (expected.mean[channel] ?? 0)) / (expected.std[channel] ?? 0);
        expect(floats[(channel * 2 + row) * 3 + column]).toBe(Math.fround(value));
      }
    }
  });
});

describe('a picture that does not fit', () => {
  it('is rejected with both sizes', () => {
    const crop = { from: [5, 9], to: [6, 9] } as const;
    expect(() =>
      run([RandomCrop({ height: 6, width: 9 })], { from: [...crop.from], to: [...crop.to] }),
    ).toThrow(new PictureRejection('9 x 5 pixels, smaller than the crop of 9 x 6'));
    expect(() => run([], { from: [5, 9], to: [6, 9] })).toThrow(PictureRejection);
  });
});

describe('Pipeline', () => {
  const size = { height: 4, width: 4 };
  const build = (...specs: unknown[]) => {
    return new Pipeline(specs as TransformSpec[], { size, normalization: plain });
  };

  it('knows the smallest picture that it takes', () => {
    expect(build(HorizontalFlip(), RandomCrop(size)).minimumInput).toMatchObject(size);
    expect(build(HorizontalFlip()).minimumInput).toBeUndefined();
    expect(build(RandomCrop({ ...size, p: 0.5 })).minimumInput).toBeUndefined();
  });

  it('survives JSON, defaults included', () => {
    const specs = [RandomCrop(size), HorizontalFlip(), Normalize({ mean: [1, 2, 3] })];
    const back = JSON.parse(JSON.stringify(specs)) as TransformSpec[];
    expect(back).toEqual(specs);
    expect(back[1]).toEqual({ name: 'HorizontalFlip', options: { p: 0.5 } });
    expect(build(...back).normalization).toEqual({ mean: [1, 2, 3], std: [1, 1, 1] });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['an unknown name', () => build({ name: 'RandomCorp', options: {} }), /no transform RandomCorp/],
    [
      'a misspelt option',
      () => RandomCrop({ ...size, heigth: 3 } as never),
      /RandomCrop has no option 'heigth'/,
    ],
    [
      'a missing option',
      () => build({ name: 'RandomCrop', options: { height: 4 } }),
      /RandomCrop lacks the option 'width'/,
    ],
    ['no options', () => build({ name: 'CenterCrop' }), /CenterCrop/],
    ['a fraction of a pixel', () => CenterCrop({ height: 1.5, width: 4 }), /CenterCrop: height/],
    ['a p above 1', () => HorizontalFlip({ p: 1.5 }), /HorizontalFlip: p/],
    ['a std of 0', () => Normalize({ std: [1, 0, 1] }), /Normalize: std\.1/],
    ['Normalize in the middle', () => build(Normalize(), RandomCrop(size)), /Normalize is not the last/],
    ['another size than the network', () => build(RandomCrop({ height: 4, width: 5 })), /4 x 5.*4 x 4/],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(UserError);
    expect(action).toThrow(message);
  });
});

describe('the seat for further transforms', () => {
  /** In place, on any view, with a table made once. */
  const Invert = defineTransform({
    name: 'Invert',
    options: { strength: z.number().default(1) },
    p: 1,
    compile: ({ strength }) => {
      const table = Uint8Array.from({ length: 256 }, (_, value) => value + (255 - 2 * value) * strength);
      return ({ pixels, offset, stride, height, width }) => {
        for (let row = 0; row < height; row++) {
          const from = offset + row * stride;
          for (let at = from; at < from + width * 3; at++) pixels[at] = table[pixels[at] as number] as number;
        }
      };
    },
  });
  /** Changes the size, from the picture's buffer to the spare one. */
  const Transpose = defineTransform({
    name: 'Transpose',
    options: {},
    p: 0.5,
    outputSize: (_, input) => input && { height: input.width, width: input.height },
    compile: () => (picture) => {
      picture.compact();
      const { pixels, width, height } = picture;
      const target = picture.spare(height, width);
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          for (let channel = 0; channel < 3; channel++) {
            const to = (column * height + row) * 3 + channel;
            target[to] = pixels[(row * width + column) * 3 + channel] as number;
          }
        }
      }
      picture.adoptSpare(height, width);
    },
  });
  /** Holds others. */
  const Both = defineTransform({
    name: 'Both',
    options: { transforms: z.array(z.custom<TransformSpec>()) },
    p: 1,
    children: ({ transforms }) => transforms,
    outputSize: (_, input, children) =>
      children.reduce((size: typeof input, child) => child.outputSize(size), input),
    compile: (_, children) => (picture, random) => {
      for (const child of children) applyByChance(child, picture, random);
    },
  });
  const registry = registryOf([...transforms.values(), Invert, Transpose, Both]);

  it('runs transforms within transforms, in place and resized, after views and before', () => {
    const specs = [
      HorizontalFlip({ p: 1 }),
      CenterCrop({ height: 4, width: 5 }),
      Both({ transforms: [Invert({ strength: 1 }), Both({ transforms: [Transpose({ p: 1 })] })] }),
      HorizontalFlip({ p: 1 }),
      CenterCrop({ height: 3, width: 2 }),
    ];
    const out = run(JSON.parse(JSON.stringify(specs)), { from: [8, 9], to: [3, 2], registry });
    for (const [row, column, channel] of positions([3, 2])) {
      // read backwards: crop, flip, transpose, crop, flip
      const [r, c] = [row + 1, 4 - 1 - (column + 1)];
      const [row2, column2] = [c + 2, 9 - 1 - (r + 2)];
      expect(out(row, column, channel)).toBe(255 - pixel(row2, column2, channel));
    }
  });

  it('checks what lies within, and sizes that come out of it', () => {
    const size = { height: 3, width: 4 };
    const build = (...specs: TransformSpec[]) =>
      new Pipeline(specs, { size, normalization: plain, registry });
    const crop = RandomCrop({ height: 4, width: 3 });
    expect(() => build(Both({ transforms: [crop, Transpose({ p: 1 })] }))).not.toThrow();
    expect(() => build(Both({ transforms: [crop] }))).toThrow(/4 x 3.*3 x 4/);
    // not known beforehand: left to the picture
    expect(() => build(crop, Transpose())).not.toThrow();
    expect(() => build(Both({ transforms: [{ name: 'Invrt', options: {} }] }))).toThrow(/no transform Invrt/);
    expect(() => build(Both({ transforms: [Normalize()] }))).toThrow(/Normalize is not the last/);
  });
});
