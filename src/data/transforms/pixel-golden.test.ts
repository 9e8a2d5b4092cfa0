import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { floatsOf, parseSafetensors } from '../../interop/safetensors.js';
import * as coarseDropout from './coarse-dropout.js';
import * as colorJitter from './color-jitter.js';
import * as equalize from './equalize.js';
import * as gaussianBlur from './gaussian-blur.js';
import { HsvShift } from './hsv.js';
import * as hueSaturationValue from './hue-saturation-value.js';
import { NoiseMap } from './noise-map.js';
import { Picture } from './picture.js';
import * as brightnessContrast from './random-brightness-contrast.js';
import { SeparableBlur } from './separable-blur.js';
import * as toGray from './to-gray.js';

interface Case {
  readonly transform: keyof typeof appliers;
  readonly picture: string;
  // each transform's own; written by the generator beside the golden file
  readonly parameters: never;
}

const file = parseSafetensors(
  readFileSync(new URL('../../../test/golden/transforms/pixels.safetensors', import.meta.url)),
);
const cases = JSON.parse(file.metadata.cases ?? '[]') as Case[];

function tensor(name: string) {
  const found = file.tensors.get(name);
  if (!found) throw new Error(`the golden file has no tensor ${name}`);
  return found;
}

/** Applies a transform with the parameters of a case. */
const appliers = {
  RandomBrightnessContrast: (picture: Picture, drawn: never) =>
    brightnessContrast.apply(picture, drawn, new Uint8Array(768)),
  HueSaturationValue: (picture: Picture, drawn: never) =>
    hueSaturationValue.apply(picture, drawn, new HsvShift()),
  ColorJitter: (picture: Picture, drawn: never) =>
    colorJitter.apply(picture, drawn, new colorJitter.JitterScratch()),
  ToGray: (picture: Picture, { method }: { method: toGray.GreyMethod }) => toGray.apply(picture, method),
  Equalize: (picture: Picture, options: never) =>
    equalize.apply(picture, options, new equalize.EqualizeScratch()),
  GaussianBlur: (picture: Picture, drawn: never) => gaussianBlur.apply(picture, drawn, new SeparableBlur()),
  GaussNoise: (picture: Picture, small: { channels: number; height: number; width: number }, id: number) =>
    new NoiseMap({ perChannel: small.channels === 3, noiseScaleFactor: 0.5 }).addEnlarged(
      picture,
      floatsOf(tensor(`${id}.noise`)),
      small,
    ),
  CoarseDropout: (picture: Picture, { fill, holes }: { fill: number; holes: number[][] }) =>
    coarseDropout.apply(
      picture,
      { holes: holes.flat(), count: holes.length, low: 0, high: 0 },
      new coarseDropout.HoleFiller(fill),
    ),
};

/** Exact ones may differ nowhere; the others within one grey level at 99.9 % of the bytes of all cases. */
const exact = new Set(['RandomBrightnessContrast', 'Equalize', 'ToGray', 'CoarseDropout']);
const tally = new Map<string, { bytes: number; far: number }>();

function load(name: string): Picture {
  const { shape, bytes } = tensor(`picture.${name}`);
  const [height = 0, width = 0] = shape;
  const picture = new Picture();
  picture.load(width, height).set(bytes);
  return picture;
}

describe('pixel transforms give what albumentations gives for the same draw', () => {
  cases.forEach((each, id) => {
    it(`${each.transform} ${each.picture} ${JSON.stringify(each.parameters)}`, () => {
      const picture = load(each.picture);
      appliers[each.transform](picture, each.parameters, id);
      picture.compact();
      const expected = tensor(String(id)).bytes;
      const actual = picture.pixels.subarray(0, expected.length);
      const counts = tally.get(each.transform) ?? { bytes: 0, far: 0 };
      tally.set(each.transform, counts);
      counts.bytes += expected.length;
      expected.forEach((byte, at) => {
        if (Math.abs(byte - (actual[at] as number)) > 1) counts.far++;
      });
      if (exact.has(each.transform)) expect([...actual]).toEqual([...expected]);
    });
  });

  it('within one grey level for 99.9 % of the bytes', () => {
    expect(tally.size).toBe(Object.keys(appliers).length);
    for (const [name, { bytes, far }] of tally) expect(far / bytes, name).toBeLessThan(0.001);
  });
});
