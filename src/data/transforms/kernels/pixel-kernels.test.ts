import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomPurpose } from '../../../random/philox.js';
import { RandomStream } from '../../../random/random-stream.js';
import { Picture } from '../picture.js';
import { Pipeline } from '../pipeline.js';
import type { TransformSpec } from '../transform.js';
import { PixelKernels } from './pixel-kernels.js';

interface Size {
  readonly height: number;
  readonly width: number;
}

const whole: Size = { height: 61, width: 83 };
const part: Size = { height: 40, width: 51 };

/** What comes out of the transforms for some draws, of pictures of noise. */
function outputs(
  specs: readonly TransformSpec[],
  fast: boolean,
  { from, to, seed, draws }: { from: readonly Size[]; to: Size; seed: number; draws: number },
): Float32Array[] {
  const normalization = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
  const run = new Pipeline(specs, { size: to, normalization }).compile();
  const random = new RandomStream(seed, randomPurpose.trainTransforms);
  const picture = new Picture({ fast });
  return Array.from({ length: draws }, (_, sample) => {
    const { height, width } = from[sample % from.length] as Size;
    const noise = new RandomStream(seed + sample, randomPurpose.trainTransforms);
    picture
      .load(width, height)
      .set(Uint8Array.from({ length: 3 * width * height }, () => noise.uint32() & 255));
    random.seek(0, sample);
    const out = new Float32Array(3 * to.height * to.width);
    run(picture, random, out, 0);
    return out;
  });
}

const crop = { name: 'RandomCrop', options: { ...part } };
const flips = ['HorizontalFlip', 'VerticalFlip'].map((name) => ({ name, options: { p: 0.5 } }));
const equalize = { name: 'Equalize', options: { p: 1 } };
const warp = (borderMode: string): TransformSpec => ({
  name: 'ShiftScaleRotate',
  options: { borderMode, scaleLimit: 0.5, shiftLimit: 0.3, rotateLimit: 180, fill: [9, 130, 255], p: 1 },
});

describe('the fast loops', () => {
  it('are there on this machine', () => {
    expect(PixelKernels.open(1000)).toBeDefined();
  });

  it.each<[string, TransformSpec[]]>([
    ['a warp that repeats the edge', [...flips, warp('replicate'), crop]],
    ['a warp with a fill', [...flips, warp('constant'), crop]],
    ['a warp that mirrors', [...flips, warp('reflect'), crop]],
    ['two warps and an equalisation', [warp('replicate'), ...flips, warp('constant'), equalize, crop]],
    ['an equalisation of a crop', [...flips, crop, equalize]],
  ])('give the bytes that TypeScript gives: %s', (_, specs) => {
    const sizes = { from: [whole], to: part, seed: 1, draws: 30 };
    expect(outputs(specs, true, sizes)).toEqual(outputs(specs, false, sizes));
  });

  it('do so for pictures of any size, one after the other in the same memory', () => {
    const extent = fc.integer({ min: 1, max: 90 });
    const size = fc.record({ height: extent, width: extent });
    const border = fc.constantFrom('replicate', 'constant', 'reflect', 'wrap');
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 2, maxLength: 4 }),
        size,
        border,
        fc.nat(),
        (from, to, mode, seed) => {
          const fit: TransformSpec[] = [
            { name: 'PadIfNeeded', options: { minHeight: to.height, minWidth: to.width } },
            { name: 'RandomCrop', options: { ...to } },
          ];
          const specs = [...flips, warp(mode), equalize, ...fit, ...flips, warp('replicate')];
          const sizes = { from, to, seed: seed % 1e6, draws: from.length };
          expect(outputs(specs, true, sizes)).toEqual(outputs(specs, false, sizes));
        },
      ),
      { numRuns: 60 },
    );
  });
});
