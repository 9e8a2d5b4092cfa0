import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import jpegTurbo from '@julusian/jpeg-turbo';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { BatchReader } from '../loader/batch-reader.js';
import { Loader } from '../loader/loader.js';
import { CenterCrop, HorizontalFlip, Lambda, VerticalFlip } from './index.js';
import { Picture } from './picture.js';
import { Pipeline } from './pipeline.js';
import type { TransformSpec } from './transform.js';

let folder: string;
const at = (file: string): string => join(folder, file);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resnode-lambda-'));
  writeFileSync(
    at('own.ts'),
    `import { amount } from './amount';
     type Picture = { pixels: Uint8Array; width: number; height: number };
     export function shift({ pixels, width, height }: Picture, random: () => number): void {
       if (pixels.length !== width * height * 3) throw new Error('no whole picture');
       const by: number = amount + Math.floor(10 * random());
       for (let at = 0; at < pixels.length; at++) pixels[at] += by + at;
     }
     export async function later(): Promise<void> {}
     export const number = 3;`,
  );
  writeFileSync(at('amount.ts'), 'export const amount: number = 5;');
  writeFileSync(at('bad.mjs'), `export default () => { throw new Error('out of ideas'); };`);
  writeFileSync(at('broken.js'), 'export default (');
});
afterAll(() => rmSync(folder, { recursive: true }));

const size = { height: 2, width: 3 };

function run(specs: readonly TransformSpec[], picture = new Picture()): number[] {
  const pipeline = new Pipeline(specs, { size, normalization: { mean: [0, 0, 0], std: [1, 1, 1] } });
  const out = new Float32Array(18);
  picture.load(3, 2).fill(100);
  pipeline.compile()(picture, new RandomStream(3, randomPurpose.trainTransforms), out, 0);
  return [...out];
}

describe('Lambda', () => {
  it('changes the pixels, in TypeScript, with chance that comes from the picture’s draws', () => {
    const random = new RandomStream(3, randomPurpose.trainTransforms);
    const by = 105 + Math.floor(10 * random.uniform());
    const own = Lambda({ module: relative('.', at('own.ts')), export: 'shift' });
    const plane = [0, 3, 6, 9, 12, 15];
    const expected = [0, 1, 2].flatMap((channel) => plane.map((first) => by + first + channel));
    expect(run([own])).toEqual(expected);
    // plain rows, however the picture lay before
    expect(run([HorizontalFlip({ p: 1 }), VerticalFlip({ p: 1 }), own])).toEqual(expected);
    expect(JSON.parse(JSON.stringify(own))).toEqual(own);
  });

  it.each([
    ['own.ts', 'shfit', /own\.ts exports no function 'shfit'/],
    ['own.ts', 'number', /own\.ts exports no function 'number'/],
    ['own.ts', 'later', /'later' of .*own\.ts is asynchronous/],
    ['bad.mjs', 'default', /'default' of .*bad\.mjs failed: out of ideas/],
    ['broken.js', 'default', /cannot load .*broken\.js/],
    ['gone.ts', 'default', /there is no file .*gone\.ts \(for 'default'\)/],
  ])('says what is wrong with %s, %s', (file, name, message) => {
    const action = (): unknown => run([Lambda({ module: at(file), export: name })]);
    expect(action).toThrow(UserError);
    expect(action).toThrow(message);
  });

  it('names the nearest export', () => {
    try {
      run([Lambda({ module: at('own.ts'), export: 'shfit' })]);
    } catch (error) {
      expect((error as UserError).hint).toBe("did you mean 'shift'? functions that it exports: later, shift");
      return;
    }
    throw new Error('it was taken');
  });
});

describe('Lambda in the threads of a loader', () => {
  const { compressSync, FORMAT_RGB } = jpegTurbo;
  const start = (specs: readonly TransformSpec[]): Promise<Loader> => {
    const pixels = Buffer.alloc(8 * 8 * 3, 100);
    writeFileSync(
      at('a.jpg'),
      compressSync(pixels, { format: FORMAT_RGB, width: 8, height: 8, quality: 100 }),
    );
    return Loader.start({
      ...{
        folder,
        samples: { train: [], val: [{ file: 'a.jpg', label: 0 }] },
        batchSize: 1,
        seed: 1,
        workers: 1,
      },
      ...{ mean: [0, 0, 0], std: [1, 1, 1], ...size, trainTransforms: [], valTransforms: specs },
    });
  };

  it('runs, and an error names the file, the export and the picture', async () => {
    const crop = CenterCrop(size);
    const loader = await start([crop, Lambda({ module: at('own.ts'), export: 'shift' })]);
    loader.enqueue({ split: 'val', epoch: 0 });
    const { images } = new BatchReader(loader.ring).take() ?? { images: [] };
    expect((images[1] as number) - (images[0] as number)).toBe(3);
    await loader.close();

    const failing = await start([crop, Lambda({ module: at('bad.mjs') })]);
    failing.on('failed', () => {});
    failing.enqueue({ split: 'val', epoch: 0 });
    const reader = new BatchReader(failing.ring);
    expect(() => reader.take()).toThrow(/'default' of .*bad\.mjs failed: out of ideas \(picture a\.jpg\)/);
    await failing.close();
  });

  it('is refused before the threads start when it cannot be loaded', async () => {
    await expect(start([CenterCrop(size), Lambda({ module: at('gone.ts') })])).rejects.toThrow(UserError);
  });
});
