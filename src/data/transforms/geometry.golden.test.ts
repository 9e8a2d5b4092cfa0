import { describe, expect, it } from 'vitest';
import { goldenPicture, type TransformCase, transformCases } from '../../../test/golden/transforms.js';
import { Affine, affineStep } from './affine.js';
import type { DrawnStep } from './drawn-step.js';
import { Picture } from './picture.js';
import { affineRanges, ShiftScaleRotate } from './shift-scale-rotate.js';

/** The step of a golden case's transform, its options checked as those of a spec are. */
const steps: Readonly<Record<string, (options: never) => Pick<DrawnStep<never>, 'apply'>>> = {
  Affine: (given) => affineStep(Affine(given).options as never),
  ShiftScaleRotate: (given) => {
    const options = ShiftScaleRotate(given).options as never;
    return affineStep({ ...(options as object), ...affineRanges(options) } as never);
  },
};

/** Count of channels by how far they are from the golden file's. */
function differences(cases: readonly TransformCase[]): number[] {
  const counts = new Array<number>(256).fill(0);
  for (const each of cases) {
    const [height, width] = each.size;
    const picture = new Picture();
    picture.load(width, height).set(goldenPicture(height, width));
    steps[each.transform]?.(each.options as never).apply(picture, each.params as never);
    picture.compact();
    expect([picture.height, picture.width, 3]).toEqual(each.shape);
    each.pixels.forEach((wanted, index) => {
      const distance = Math.abs(wanted - (picture.pixels[index] as number));
      counts[distance] = (counts[distance] ?? 0) + 1;
    });
  }
  return counts;
}

describe('pixels of albumentations for the same parameters', () => {
  it.each(['affine-nearest', 'affine-linear', 'affine-cubic', 'shift-scale-rotate'])(
    '%s: within one grey level on 99.9 percent',
    (file) => {
      const counts = differences(transformCases(file));
      const all = counts.reduce((sum, count) => sum + count, 0);
      const near = (counts[0] ?? 0) + (counts[1] ?? 0);
      console.log(file, counts.slice(0, 6), all);
      expect(near / all).toBeGreaterThanOrEqual(0.999);
      expect((counts[0] ?? 0) / all).toBeGreaterThan(0.9);
    },
  );
});
