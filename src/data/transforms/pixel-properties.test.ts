import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { RandomStream } from '../../random/random-stream.js';
import { CoarseDropout } from './coarse-dropout.js';
import { ColorJitter } from './color-jitter.js';
import { Equalize } from './equalize.js';
import { GaussNoise } from './gauss-noise.js';
import { GaussianBlur } from './gaussian-blur.js';
import { HueSaturationValue } from './hue-saturation-value.js';
import { Picture } from './picture.js';
import { RandomBrightnessContrast } from './random-brightness-contrast.js';
import { transforms } from './registry.js';
import { ToGray } from './to-gray.js';
import type { CompiledTransform, TransformSpec } from './transform.js';

/** Every pixel transform in its kinds, with draws that are seen in the picture. */
const specs: readonly TransformSpec[] = [
  RandomBrightnessContrast({ brightnessLimit: [0.1, 1], contrastLimit: 0.9 }),
  RandomBrightnessContrast({ brightnessByMax: false, contrastLimit: [3, 4] }),
  HueSaturationValue({ hueShiftLimit: 180, satShiftLimit: 255, valShiftLimit: [10, 255] }),
  ColorJitter({ brightness: 2, contrast: [0, 3], saturation: 5, hue: 0.5 }),
  ...(['weighted_average', 'from_lab', 'desaturation', 'average', 'max'] as const).map((method) =>
    ToGray({ method }),
  ),
  Equalize(),
  Equalize({ byChannels: false }),
  Equalize({ mode: 'pil' }),
  Equalize({ mode: 'pil', byChannels: false }),
  GaussianBlur({ sigmaLimit: [0, 6] }),
  GaussianBlur({ blurLimit: [0, 12] }),
  GaussNoise(),
  GaussNoise({ perChannel: false, meanRange: [-1, 1], stdRange: [0, 1] }),
  GaussNoise({ noiseScaleFactor: 0.3 }),
  GaussNoise({ noiseScaleFactor: 0.5, perChannel: false }),
  CoarseDropout({ numHolesRange: [1, 4], fill: [9, 8, 7] }),
  CoarseDropout({ holeHeightRange: [1, 30], holeWidthRange: [0, 30], fill: 'random' }),
  CoarseDropout({ holeHeightRange: [0, 0.9], holeWidthRange: [0.5, 0.99], fill: 'random_uniform' }),
];

function compile({ name, options }: TransformSpec): CompiledTransform {
  const prepared = transforms.get(name)?.prepare(options, () => []);
  if (prepared?.kind !== 'transform') throw new Error(`${name} is not registered`);
  return prepared.compile();
}

const guard = 77;

/** A picture with random bytes, cut out of a larger one, whose other bytes are `guard`. */
function cutOut(
  size: { height: number; width: number },
  { seed, margin, mirrored }: { seed: number; margin: number; mirrored: boolean },
): Picture {
  const picture = new Picture();
  const full = { height: size.height + 2 * margin, width: size.width + 2 * margin };
  const pixels = picture.load(full.width, full.height);
  pixels.fill(guard);
  const random = new RandomStream(seed, 3);
  for (let row = 0; row < size.height; row++) {
    const start = ((row + margin) * full.width + margin) * 3;
    // few levels beside many, so that histograms are uneven
    for (let at = 0; at < size.width * 3; at++) pixels[start + at] = random.below(row % 2 ? 256 : 9);
  }
  if (mirrored) picture.mirror();
  picture.crop(margin, margin, size.width, size.height);
  return picture;
}

/** Bytes of the buffer outside of the picture that are not as they were. */
function touched(pixels: Buffer, { width, height }: Picture, margin: number): number {
  const stride = (width + 2 * margin) * 3;
  let count = 0;
  pixels.forEach((byte, at) => {
    const [row, column] = [Math.floor(at / stride) - margin, Math.floor((at % stride) / 3) - margin];
    const inside = row >= 0 && row < height && column >= 0 && column < width;
    if (!inside && byte !== guard) count++;
  });
  return count;
}

const anyPicture = fc.record({
  height: fc.integer({ min: 1, max: 12 }),
  width: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
  margin: fc.integer({ min: 0, max: 3 }),
});

function seen(picture: Picture): number[] {
  picture.compact();
  return [...picture.pixels.subarray(0, picture.width * picture.height * 3)];
}

describe.each(specs)('$name $options on any picture from 1 x 1', (spec) => {
  it('keeps the size, writes nothing outside, and does the same to a mirrored one', () => {
    const step = compile(spec);
    const run = (given: {
      height: number;
      width: number;
      seed: number;
      margin: number;
      mirrored: boolean;
    }) => {
      const picture = cutOut(given, given);
      const buffer = picture.pixels;
      const extent = (given.width + 2 * given.margin) * (given.height + 2 * given.margin) * 3;
      const random = new RandomStream(given.seed, 4);
      step.apply(picture, random);
      expect([picture.height, picture.width]).toEqual([given.height, given.width]);
      expect(touched(buffer.subarray(0, extent), picture, given.margin)).toBe(0);
      return seen(picture);
    };
    fc.assert(
      fc.property(anyPicture, (given) => {
        const upright = run({ ...given, mirrored: false });
        // scratch buffers hold what the last picture left
        expect(run({ ...given, mirrored: false })).toEqual(upright);
        expect(run({ ...given, margin: given.margin + 1, mirrored: false })).toEqual(upright);
        expect(run({ ...given, mirrored: true })).toHaveLength(upright.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('mirrored pictures', () => {
  // noise and random fill are drawn in the order of the buffer
  const deterministic = specs.filter(
    ({ name, options }) => name !== 'GaussNoise' && options.fill !== 'random',
  );

  it.each(deterministic)('$name $options looks the same as on one that was turned in memory', (spec) => {
    const step = compile(spec);
    fc.assert(
      fc.property(anyPicture, (given) => {
        const results = [false, true].map((inMemory) => {
          const picture = cutOut(given, { ...given, mirrored: true });
          if (inMemory) picture.compact();
          step.apply(picture, new RandomStream(given.seed, 4));
          return seen(picture);
        });
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('options', () => {
  it('are pairs after parsing, and parsing again changes nothing', () => {
    for (const { name, options } of specs) {
      const { default: again } = {
        default: transforms.get(name) as unknown as (o: unknown) => TransformSpec,
      };
      expect(again(options)).toEqual({ name, options });
    }
    expect(RandomBrightnessContrast({ brightnessLimit: 0.3 }).options).toMatchObject({
      brightnessLimit: [-0.3, 0.3],
      contrastLimit: [-0.2, 0.2],
      p: 0.5,
    });
    expect(ColorJitter({ brightness: 1.5, hue: 0.1 }).options).toMatchObject({
      brightness: [0, 2.5],
      hue: [-0.1, 0.1],
    });
    expect(GaussianBlur({ sigmaLimit: 2, blurLimit: 7 }).options).toMatchObject({
      sigmaLimit: [0, 2],
      blurLimit: [0, 7],
    });
  });

  const refused: ReadonlyArray<readonly [() => TransformSpec, RegExp, RegExp]> = [
    [() => RandomBrightnessContrast({ brightnessLimit: 2 }), /brightnessLimit cannot be 2/, /from -1 to 1/],
    [() => RandomBrightnessContrast({ contrastLimit: [0.3, 0.1] }), /contrastLimit/, /least comes before/],
    [() => HueSaturationValue({ hueShiftLimit: [-181, 0] }), /hueShiftLimit/, /from -180 to 180/],
    [() => HueSaturationValue({ valShiftLimit: -3 }), /valShiftLimit cannot be -3/, /0 or more/],
    [() => ColorJitter({ hue: 0.6 }), /hue cannot be 0.6/, /from -0.5 to 0.5/],
    [() => ColorJitter({ saturation: [-1, 1] }), /saturation/, /from 0 on/],
    [() => ToGray({ method: 'pca' as 'max' }), /method cannot be "pca"/, /weighted_average/],
    [() => Equalize({ mode: 'PIL' as 'pil' }), /mode cannot be "PIL"/, /"cv"\|"pil"/],
    [() => GaussianBlur({ blurLimit: 2.5 }), /blurLimit cannot be 2.5/, /whole numbers from 0/],
    [() => GaussNoise({ stdRange: 0.5 as unknown as [number, number] }), /stdRange cannot be 0.5/, /a pair/],
    [() => GaussNoise({ noiseScaleFactor: 0 }), /noiseScaleFactor cannot be 0/, /above 0 and at most 1/],
    [() => CoarseDropout({ holeHeightRange: [0.5, 1.5] }), /holeHeightRange/, /parts below 1/],
    [() => CoarseDropout({ fill: 'red' as 'random' }), /fill cannot be "red"/, /'random_uniform'/],
    [() => CoarseDropout({ numHolesRange: [0, 2] }), /numHolesRange/, /from 1/],
    [() => Equalize({ byChannel: true } as object), /no option 'byChannel'/, /did you mean 'byChannels'/],
  ];

  it.each(refused)('are refused with what is allowed: %s', (make, message, hint) => {
    let error: unknown;
    try {
      make();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).hint).toMatch(hint);
  });
});
