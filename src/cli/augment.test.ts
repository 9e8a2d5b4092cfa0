import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { preprocess } from '../data/preprocess/preprocess.js';
import { UserError } from '../errors.js';
import { augmentCommand } from './augment.js';

let folder: string;
let data: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnode-augment-'));
  data = join(folder, 'data');
  for (const [label, background] of Object.entries({ red: '#c01010', blue: '#1010c0' })) {
    await mkdir(join(folder, 'pictures', label), { recursive: true });
    for (let index = 0; index < 4; index++) {
      // the left half is white, so that a mirrored picture shows
      const half = {
        input: { create: { width: 24, height: 32, channels: 3, background: '#fff' } },
        left: 0,
        top: 0,
      } as const;
      await sharp({ create: { width: 48, height: 32, channels: 3, background } })
        .composite([half])
        .jpeg({ quality: 95 })
        .toFile(join(folder, 'pictures', label, `${index}.jpg`));
    }
  }
  await preprocess({ pictures: join(folder, 'pictures'), out: data, size: 32, valSplit: 0.25 });
});

afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

async function run(...argv: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const quiet = { writeErr: () => {} };
  await augmentCommand().exitOverride().configureOutput(quiet).parseAsync(argv, { from: 'user' });
  return written.join('');
}

async function config(train: unknown): Promise<string> {
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ transforms: { train } }));
  return file;
}

/** Colour of a sheet at a place. */
async function colors(file: string): Promise<(x: number, y: number) => number[]> {
  const { data: pixels, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => [...pixels.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
}

describe('resnode augment', () => {
  it('draws originals and eight draws of each, by default crops of 7/8', async () => {
    const out = join(folder, 'sheet.png');
    const text = await run(data, '--out', out, '--rows', '3');
    expect(text).toMatch(/^.*sheet\.png\n {2}row 1 {2}train\/\w+\.jpg {2}(red|blue)\n/);
    expect(text.split('\n').filter((line) => line.includes('row'))).toHaveLength(3);
    const { width, height } = await sharp(out).metadata();
    expect(width).toBe(6 + 48 + 8 * (6 + 28) + 6);
    expect(height).toBe(6 + 22 + 3 * (32 + 6));
  });

  it('follows the configuration, the same picture again for the same seed', async () => {
    const file = await config([
      { name: 'HorizontalFlip', options: { p: 1 } },
      { name: 'ToGray', options: { p: 1, method: 'max' } },
      { name: 'Normalize' },
    ]);
    const out = join(folder, 'grey.png');
    await run(data, '--config', file, '--out', out, '--rows', '1', '--seed', '5');
    const first = await readFile(out);
    const at = await colors(out);
    const middle = 28 + 16;
    // the original: white, then its colour; each draw: grey, then white
    expect(Math.min(...at(6 + 6, middle))).toBeGreaterThan(240);
    expect(Math.max(...at(6 + 42, middle)) - Math.min(...at(6 + 42, middle))).toBeGreaterThan(100);
    for (let draw = 1; draw <= 8; draw++) {
      const left = 6 + draw * 54;
      const [r, g, b] = at(left + 6, middle);
      expect([g, b]).toEqual([r, r]);
      expect(r).toBeLessThan(210);
      expect(Math.min(...at(left + 42, middle))).toBeGreaterThan(240);
    }
    await run(data, '--config', file, '--out', out, '--rows', '1', '--seed', '5');
    expect(await readFile(out)).toEqual(first);
  });

  it('shows the pictures of shards as those of files', async () => {
    const shards = join(folder, 'shards');
    await preprocess({
      ...{ pictures: join(folder, 'pictures'), out: shards },
      ...{ size: 32, valSplit: 0.25, shards: '10kB' },
    });
    const sheets = [data, shards].map(async (dataset, at) => {
      const out = join(folder, `form-${at}.png`);
      await run(dataset, '--out', out, '--rows', '3');
      return readFile(out);
    });
    const [files, packed] = await Promise.all(sheets);
    expect(packed).toEqual(files);
    const { times } = JSON.parse(await run(shards, '--stats', '--json'));
    expect(times.pictures).toBe(6);
  });

  it('takes functions from the folder of the configuration', async () => {
    const module = './black.mjs';
    await writeFile(join(folder, module), 'export default ({ pixels }) => pixels.fill(0);');
    const file = await config([{ name: 'Lambda', options: { module } }, { name: 'Normalize' }]);
    const out = join(folder, 'black.png');
    await run(data, '--config', file, '--out', out, '--rows', '1');
    expect((await colors(out))(6 + 54 + 10, 28 + 16)).toEqual([0, 0, 0]);
    await rm(join(folder, module));
    await expect(run(data, '--config', file, '--out', out)).rejects.toThrow(/there is no file .*black\.mjs/);
  });

  it('times each transform', async () => {
    const file = await config([
      { name: 'HorizontalFlip', options: { p: 0 } },
      { name: 'Equalize', options: { p: 1 } },
      { name: 'RandomCrop', options: { height: 20, width: 20 } },
    ]);
    const { times, sheet } = JSON.parse(await run(data, '--config', file, '--stats', '--json'));
    expect(sheet).toBeUndefined();
    expect(times.pictures).toBe(6);
    const shares = Object.fromEntries(
      times.stages.map(({ name, share }: { name: string; share: number }) => [name, share]),
    );
    expect(shares).toEqual({ decode: 1, HorizontalFlip: 0, Equalize: 1, RandomCrop: 1, normalize: 1 });
    const table = await run(data, '--config', file, '--stats');
    expect(table).toMatch(/^Equalize +100\.0 % +\d+\.\d{3} +\d+\.\d{3}$/m);
    expect(table).toMatch(/pictures\/s in one thread, by 6 pictures\n$/);
  });

  it.each([
    [[{ name: 'Equalise' }], /no transform Equalise/],
    [[{ name: 'Equalize', options: { mode: 'x' } }], /mode cannot be "x"/],
    [[{ name: 'Normalize' }, { name: 'Equalize' }], /Normalize is not the last/],
    [[{ name: 'Normalize', options: { mean: 3 } }], /mean cannot be 3/],
    [[{ name: 'RandomCrop', options: { height: 40, width: 40 } }], /take none of the pictures.*smaller/],
  ])('says what is wrong with %j', async (train, message) => {
    const out = join(folder, 'none.png');
    const failed = run(data, '--config', await config(train), '--out', out);
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(message);
    await expect(stat(out)).rejects.toThrow('ENOENT');
    await expect(run(data, '--config', join(folder, 'config.json'), '--stats')).rejects.toThrow(UserError);
  });

  it('asks for something to do', async () => {
    await expect(run(data)).rejects.toThrow('nothing to do');
    await expect(run(data, '--out', 'x.png', '--rows', '0')).rejects.toThrow('--rows cannot be 0');
  });
});
