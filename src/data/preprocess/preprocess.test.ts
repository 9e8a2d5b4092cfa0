import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCsv } from '../csv.js';
import { preprocess } from './preprocess.js';

let root: string;
let pictures: string;
let out: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-preprocess-'));
  pictures = join(root, 'my photos');
  out = join(root, 'data');
});
afterEach(() => rm(root, { recursive: true }));

async function put(file: string, content: Buffer | string): Promise<void> {
  const path = join(pictures, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** A picture whose colour tells it from others. */
async function colour(value: number, format: 'png' | 'jpeg' | 'webp' = 'png'): Promise<Buffer> {
  const background = { r: value, g: 255 - value, b: 100 };
  return sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

async function threeClasses(perClass = 10): Promise<void> {
  for (const [index, label] of ['zebra', 'ärmel ✓', 'cat'].entries()) {
    for (let i = 0; i < perClass; i++) {
      const format = (['png', 'jpeg', 'webp'] as const)[i % 3] ?? 'png';
      await put(`${label}/picture ${i}.${format}`, await colour(index * 80 + i, format));
    }
  }
}

const table = async (file: string) =>
  readCsv(await readFile(join(out, file), 'utf8'), {
    file,
    columns: ['image', 'class'],
  });

/** Every file of a folder with its bytes. */
async function contents(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files
    .sort()
    .map(async (file) => [file.slice(folder.length), await readFile(file, 'hex')] as const);
  return new Map(await Promise.all(pairs));
}

test('a folder of pictures becomes a dataset', async () => {
  await threeClasses();
  await put('cat/notes.txt', 'no picture');
  const result = await preprocess({ pictures, out, size: 24 });
  expect(result).toMatchObject({
    labels: ['cat', 'zebra', 'ärmel ✓'],
    ignored: 1,
    rejected: [],
    warnings: [],
  });
  expect(result.counts).toEqual({ train: 24, val: 6, rejected: 0 });
  expect(await readFile(join(out, 'categories.csv'), 'utf8')).toBe('id,label\n0,cat\n1,zebra\n2,ärmel ✓\n');
  expect(await readFile(join(out, 'rejected.csv'), 'utf8')).toBe('file,reason\n');
  for (const [split, perClass] of [
    ['train', 8],
    ['val', 2],
  ] as const) {
    const rows = await table(`${split}.csv`);
    expect(rows.map(({ image }) => image).sort()).toEqual((await readdir(join(out, split))).sort());
    for (const row of rows) expect(row.image).toMatch(/^[0-9a-f]{32}\.jpg$/);
    for (const id of ['0', '1', '2']) expect(rows.filter((row) => row.class === id)).toHaveLength(perClass);
  }
  expect((await readdir(out)).sort()).toEqual(
    [
      'categories.csv',
      'dataset.json',
      'rejected.csv',
      'rgb_val.json',
      'train',
      'train.csv',
      'val',
      'val.csv',
    ].sort(),
  );
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(JSON.parse(await readFile(join(out, 'dataset.json'), 'utf8'))).toEqual({
    version: 1,
    form: 'folders',
    classes: 3,
    counts: { train: 24, val: 6, rejected: 0 },
    mean: result.mean,
    std: result.std,
    size: 24,
    minSide: 24,
    maxSide: 32,
    options: { valSplit: 0.2, centerCrop: false, rgbMean: true, labelPattern: null, quality: 96 },
    seed: 0,
    resnode: version,
  });
});

test('each picture carries the class of its folder, and the mean is that of the train pictures', async () => {
  await threeClasses();
  const result = await preprocess({ pictures, out, size: 24 });
  const sums = { train: [0, 0, 0], val: [0, 0, 0] };
  for (const split of ['train', 'val'] as const) {
    for (const { image, class: id } of await table(`${split}.csv`)) {
      const { channels, isOpaque } = await sharp(join(out, split, image)).stats();
      const red = channels[0]?.mean ?? -99;
      // colours are 0..9 for zebra, 80..89 for ärmel, 160..169 for cat
      expect([2, 1, 0].map((_, i) => ['1', '2', '0'][i])[Math.round((red - 5) / 80)]).toBe(id);
      expect(isOpaque).toBe(true);
      channels.forEach(({ mean }, channel) => {
        sums[split][channel] = (sums[split][channel] ?? 0) + mean;
      });
    }
  }
  const rgb = JSON.parse(await readFile(join(out, 'rgb_val.json'), 'utf8'));
  expect(rgb).toEqual(result.mean);
  expect(Math.abs(rgb.R - (sums.train[0] ?? 0) / 24)).toBeLessThan(0.5);
  expect(Math.abs(rgb.G - (sums.train[1] ?? 0) / 24)).toBeLessThan(0.5);
  expect(Math.abs(rgb.B - (sums.train[2] ?? 0) / 24)).toBeLessThan(0.5);
});

test('the same pictures and seed give the same bytes, whatever the number of workers and the place', async () => {
  await threeClasses(6);
  await put('cat/broken.jpg', 'text');
  const moved = join(root, 'elsewhere');
  await cp(pictures, moved, { recursive: true });
  await preprocess({ pictures, out, size: 20, seed: 5, workers: 1 });
  const second = join(root, 'second');
  await preprocess({ pictures: moved, out: second, size: 20, seed: 5, workers: 3 });
  expect(await contents(second)).toEqual(await contents(out));
  const third = join(root, 'third');
  await preprocess({ pictures, out: third, size: 20, seed: 6 });
  expect([...(await contents(third)).keys()]).not.toEqual([...(await contents(out)).keys()]);
});

test("the caller's own settings of sharp are left as they were", async () => {
  await threeClasses(2);
  const before = sharp.concurrency();
  try {
    sharp.concurrency(3);
    await preprocess({ pictures, out, size: 20 });
    expect(sharp.concurrency()).toBe(3);
  } finally {
    sharp.concurrency(before);
  }
});

test('broken pictures are listed with a reason, and the others are as if they had never been', async () => {
  await threeClasses(5);
  await preprocess({ pictures, out, size: 20 });
  const whole = await colour(3, 'jpeg');
  await put('cat/a cut.jpg', whole.subarray(0, whole.length * 0.7));
  await put('cat/b empty.png', '');
  await put('zebra/text.jpg', 'this is text');
  await put(
    'zebra/long.png',
    await sharp({ create: { width: 900, height: 3, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
  );
  await put('loose.png', await colour(9));
  const again = join(root, 'again');
  const result = await preprocess({ pictures, out: again, size: 20 });
  expect(await readFile(join(again, 'rejected.csv'), 'utf8')).toBe(
    [
      'file,reason',
      'cat/a cut.jpg,damaged or cut off',
      'cat/b empty.png,empty file',
      'loose.png,lies in no class folder',
      'zebra/long.png,900 x 3 pixels: one side is over 20 times the other',
      'zebra/text.jpg,not a picture: unknown content',
      '',
    ].join('\n'),
  );
  expect(result.counts).toEqual({ train: 12, val: 3, rejected: 5 });
  const [first, second] = [await contents(out), await contents(again)];
  for (const file of ['/rejected.csv', '/dataset.json']) {
    first.delete(file);
    second.delete(file);
  }
  expect(second).toEqual(first);
});

test('a class with one picture trains on it, one without a good picture is left out; both are told', async () => {
  await threeClasses(4);
  await put('single/a.png', await colour(1));
  await put('broken/a.png', 'x');
  const result = await preprocess({ pictures, out, size: 16 });
  expect(result.labels).toEqual(['cat', 'single', 'zebra', 'ärmel ✓']);
  expect(result.warnings).toEqual([
    'without a single good picture, left out: class broken',
    'only one picture, so it is for training and none for validation: class single',
  ]);
  expect((await table('train.csv')).filter((row) => row.class === '1')).toHaveLength(1);
  expect((await table('val.csv')).filter((row) => row.class === '1')).toHaveLength(0);
});

test('without validation and statistics', async () => {
  await threeClasses(2);
  const result = await preprocess({
    pictures,
    out,
    size: { height: 20, width: 10 },
    valSplit: 0,
    rgbMean: false,
  });
  expect(result).toMatchObject({ mean: null, std: null, counts: { train: 6, val: 0 }, warnings: [] });
  expect(await readFile(join(out, 'val.csv'), 'utf8')).toBe('image,class\n');
  expect(await readdir(out)).not.toContain('rgb_val.json');
  expect(JSON.parse(await readFile(join(out, 'dataset.json'), 'utf8'))).toMatchObject({
    mean: null,
    std: null,
    size: { height: 20, width: 10 },
    minSide: 10,
    maxSide: 20,
  });
});

test('labels by a pattern, as in the names of Caltech-256', async () => {
  await put('001.ak47/a.png', await colour(1));
  await put('x/257.clutter/a.png', await colour(2));
  const { labels } = await preprocess({ pictures, out, size: 16, labelPattern: '([^./]+)$' });
  expect(labels).toEqual(['ak47', 'clutter']);
});

describe('what cannot be done is said before anything is written', () => {
  const message = async (options: Partial<Parameters<typeof preprocess>[0]> = {}): Promise<string> => {
    const error = await preprocess({ pictures, out, size: 16, ...options }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'UserError' });
    expect(await readdir(root)).not.toContain('data');
    return (error as Error).message;
  };

  test('no folder, an empty one, loose pictures, one class', async () => {
    expect(await message()).toMatch(/my photos does not exist/);
    await mkdir(pictures);
    expect(await message()).toMatch(/there are no pictures in .*my photos$/);
    await put('notes.txt', 'x');
    expect(await message()).toMatch(/no pictures in .*my photos \(only 1 other file\)/);
    await put('a.png', await colour(1));
    expect(await message()).toMatch(/holds 1 picture but no folder per class/);
    await put('cat/a.png', await colour(1));
    expect(await message()).toMatch(/there is only one class, "cat"/);
  });

  test('only broken pictures, or one class left of them', async () => {
    await put('cat/a.png', 'x');
    await put('dog/a.png', '');
    expect(await message()).toMatch(
      /no picture in .* can be used; cat\/a\.png: not a picture.*; dog\/a\.png: empty file/,
    );
    await put('dog/b.png', await colour(1));
    expect(await message()).toMatch(/only the class "dog" in .* can be used/);
  });

  test('options out of range', async () => {
    await threeClasses(1);
    expect(await message({ valSplit: 1 })).toMatch(/valSplit must be at least 0 and below 1, not 1/);
    expect(await message({ valSplit: Number.NaN })).toMatch(/valSplit/);
    expect(await message({ size: 0 })).toMatch(/size must be a whole number from 1/);
    expect(await message({ size: { height: 3, width: 1.5 } })).toMatch(/size \(width\)/);
    expect(await message({ quality: 101 })).toMatch(/quality/);
    expect(await message({ workers: 0 })).toMatch(/workers/);
    expect(await message({ seed: -1 })).toMatch(/seed/);
    expect(await message({ labelPattern: '(' })).toMatch(/label pattern is not a regular expression/);
    expect(await message({ labelPattern: /x/, readClassLabel: () => 'x' })).toMatch(/not both/);
  });

  test('an output folder inside the pictures', async () => {
    await threeClasses(1);
    expect(await message({ out: join(pictures, 'data') })).toMatch(/lies inside the folder of pictures/);
    expect(await readdir(pictures)).toHaveLength(3);
  });

  test('options for large datasets that do not fit together', async () => {
    await threeClasses(1);
    expect(await message({ valList: 'list.txt' })).toMatch(/needs the folder of its pictures/);
    expect(await message({ valDir: 'val', valSplit: 0.1 })).toMatch(/not both/);
    expect(await message({ valDir: join(pictures, 'cat') })).toMatch(/lie in each other/);
    expect(await message({ valDir: join(root, 'nowhere') })).toMatch(/nowhere does not exist/);
    expect(await message({ shards: 'big' })).toMatch(/shards cannot be of size "big"/);
    expect(await message({ shards: 100 })).toMatch(/shards cannot be of size 100/);
    expect(await message({ resume: true })).toMatch(/no interrupted run in .*data to go on with/);
  });
});
