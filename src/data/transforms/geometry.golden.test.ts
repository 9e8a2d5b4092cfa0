import { describe, expect, it } from 'vitest';
import { goldenPicture, type TransformCase, transformCases } from '../../../test/golden/transforms.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { Affine, affineStep } from './affine.js';
import type { DrawnStep } from './drawn-step.js';
import { PadIfNeeded, padIfNeededStep } from './pad-if-needed.js';
import { Picture } from './picture.js';
import { RandomCrop, randomCropStep } from './random-crop.js';
import { RandomResizedCrop, randomResizedCropStep } from './random-resized-crop.js';
import { transforms } from './registry.js';
import { Resize, resizeStep } from './resize.js';
import { affineRanges, ShiftScaleRotate } from './shift-scale-rotate.js';
import { SmallestMaxSize, smallestMaxSizeStep } from './smallest-max-size.js';
import type { TransformSpec } from './transform.js';

/** The step of a golden case's transform, whose options are checked as those of a spec are. */
const steps: Readonly<Record<string, (options: never) => Pick<DrawnStep<never>, 'apply'>>> = {
  Affine: (given) => affineStep(checked(Affine(given))),
  ShiftScaleRotate: (given) => {
    const options = checked(ShiftScaleRotate(given));
    return affineStep({ ...(options as object), ...affineRanges(options) } as never);
  },
  RandomCrop: (given) => randomCropStep(checked(RandomCrop(given))),
  RandomResizedCrop: (given) => randomResizedCropStep(checked(RandomResizedCrop(given))),
  Resize: (given) => resizeStep(checked(Resize(given))),
  SmallestMaxSize: (given) => smallestMaxSizeStep(checked(SmallestMaxSize(given))),
  PadIfNeeded: (given) => padIfNeededStep(checked(PadIfNeeded(given))),
};

function checked({ options }: TransformSpec): never {
  return options as never;
}

function apply({ transform, options, params }: TransformCase, picture: Picture): void {
  const step = steps[transform];
  if (step) {
    step(options as never).apply(picture, params as never);
    return;
  }
  // those that draw nothing
  const prepared = transforms.get(transform)?.prepare({ ...options, p: 1 }, () => []);
  if (prepared?.kind !== 'transform') throw new Error(`no transform ${transform}`);
  prepared.compile().apply(picture, new RandomStream(0, randomPurpose.trainTransforms));
}

/** Number of values by how far they are from the golden file's, as parts of all. */
function differences(cases: readonly TransformCase[]): number[] {
  const counts = new Array<number>(256).fill(0);
  let all = 0;
  for (const each of cases) {
    const [height, width] = each.size;
    const picture = new Picture();
    picture.load(width, height).set(goldenPicture(height, width));
    apply(each, picture);
    picture.compact();
    expect([picture.height, picture.width, 3]).toEqual(each.shape);
    for (const [index, wanted] of each.pixels.entries()) {
      const distance = Math.abs(wanted - (picture.pixels[index] as number));
      counts[distance] = (counts[distance] ?? 0) + 1;
      all++;
    }
  }
  return counts.map((count) => count / all);
}

describe('pixels of albumentations for the same parameters', () => {
  it.each([
    'affine-nearest',
    'affine-linear',
    'affine-cubic',
    'shift-scale-rotate',
    'resize-nearest',
    'resize-linear',
    'resize-cubic',
  ])('%s: nearly always the same, within one grey level at 99.9 percent', (file) => {
    const [same = 0, one = 0] = differences(transformCases(file));
    expect(same).toBeGreaterThan(0.95);
    expect(same + one).toBeGreaterThanOrEqual(0.999);
  });

  it('flips, crops and paddings: always the same', () => {
    expect(differences(transformCases('exact'))[0]).toBe(1);
  });
});
