import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { imageNetMean, imageNetStd, readDataset } from './dataset.js';
import { preprocess } from './preprocess/preprocess.js';

let root: string;
let prepared: string;
let folder: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-dataset-'));
  const pictures = join(root, 'pictures');
  for (const [label, shade] of [
    ['cat, small', 40],
    ['dog', 160],
  ] as const) {
    await mkdir(join(pictures, label), { recursive: true });
    for (let i = 0; i < 5; i++) {
      const background = { r: shade + i, g: shade, b: 90 };
      const picture = sharp({ create: { width: 30 + i, height: 24, channels: 3, background } });
      await picture.png().toFile(join(pictures, label, `${i}.png`));
    }
  }
  prepared = join(root, 'prepared');
  await preprocess({ pictures, out: prepared, size: 16, valSplit: 0.4, workers: 1 });
});

afterAll(() => rm(root, { recursive: true, force: true }));

beforeEach(async () => {
  folder = await mkdtemp(join(root, 'copy-'));
  await cp(prepared, folder, { recursive: true });
});

async function edit(name: string, change: (text: string) => string): Promise<void> {
  const path = join(folder, name);
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function editJson(change: (json: Record<string, unknown>) => unknown): Promise<void> {
  await edit('dataset.json', (text) => JSON.stringify(change(JSON.parse(text))));
}

/** The message that the dataset is refused with. */
async function refusal(path = folder): Promise<string> {
  const error = await readDataset(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? `${error.message} | ${error.hint}` : '';
}

describe('readDataset', () => {
  it('reads what preprocess writes', async () => {
    const dataset = await readDataset(folder);
    expect(dataset.folder).toBe(folder);
    expect(dataset.classes).toEqual(['cat, small', 'dog']);
    expect(dataset.minSide).toBe(16);
    expect([dataset.train.length, dataset.val.length]).toEqual([6, 4]);
    for (const split of ['train', 'val'] as const) {
      for (const { file, label } of dataset[split]) {
        expect(file).toMatch(new RegExp(`^${split}/[0-9a-f]{32}\\.jpg$`));
        const { channels } = await sharp(join(folder, file)).stats();
        expect(Math.abs((channels[1]?.mean ?? 0) - (label === 0 ? 40 : 160))).toBeLessThan(3);
      }
    }
    const means = JSON.parse(await readFile(join(folder, 'rgb_val.json'), 'utf8'));
    expect(dataset.mean).toEqual([means.R, means.G, means.B]);
    // blue is the same everywhere: nothing to scale
    expect(dataset.std[2]).toBe(1);
    expect(dataset.std[0]).toBeGreaterThan(50);
  });

  it("falls back on ImageNet's mean and deviation where none were computed", async () => {
    await editJson((json) => ({ ...json, mean: null, std: null }));
    await rm(join(folder, 'rgb_val.json'));
    const { mean, std } = await readDataset(folder);
    expect([mean, std]).toEqual([imageNetMean, imageNetStd]);
  });

  it('has a fingerprint of pictures and classes, wherever the folder lies', async () => {
    const { fingerprint } = await readDataset(prepared);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect((await readDataset(folder)).fingerprint).toBe(fingerprint);
    await edit('categories.csv', (text) => text.replace('dog', 'wolf'));
    const renamed = (await readDataset(folder)).fingerprint;
    await edit('val.csv', (text) => text.replace(/,0\n/, ',1\n'));
    const relabelled = (await readDataset(folder)).fingerprint;
    expect(new Set([fingerprint, renamed, relabelled]).size).toBe(3);
  });

  it('says that there is no folder, or that a file is none', async () => {
    expect(await refusal(join(root, 'nowhere'))).toMatch(/no folder .*nowhere \| .*resnode preprocess/);
    expect(await refusal(join(folder, 'train.csv'))).toMatch(/train\.csv is not a folder/);
  });

  it('tells a folder of pictures and half a dataset from a dataset', async () => {
    expect(await refusal(join(root, 'pictures'))).toMatch(
      /not a dataset.* \| .*resnode preprocess .*pictures --out/,
    );
    await rm(join(folder, 'dataset.json'));
    expect(await refusal()).toMatch(/half a dataset.*dataset\.json.*missing \| .*again/);
  });

  it.each(['train.csv', 'val.csv', 'categories.csv', 'train', 'val'])('misses %s', async (name) => {
    await rm(join(folder, name), { recursive: true });
    expect(await refusal()).toMatch(new RegExp(`${name} is missing`));
  });

  const badTables: Array<[string, string, (text: string) => string, RegExp]> = [
    [
      'a class id out of range',
      'train.csv',
      onLine(3, ',2'),
      /train\.csv, line 3: the class is 2.* end at 1/,
    ],
    ['a class that is no id', 'val.csv', onLine(2, ',dog'), /val\.csv, line 2: the class is "dog"/],
    ['a negative class', 'val.csv', onLine(2, ',-1'), /val\.csv, line 2: the class is "-1"/],
    ['an empty class', 'val.csv', onLine(4, ','), /val\.csv, line 4: the class is ""/],
    [
      'a header of another name',
      'train.csv',
      (text) => text.replace('image', 'picture'),
      /train\.csv.*image/,
    ],
    ['no header', 'train.csv', (text) => text.slice(12), /train\.csv.*image/],
    ['an empty file', 'train.csv', () => '', /train\.csv.*image/],
    ['a line with a field too few', 'val.csv', (text) => text.replace(/,[01]\n/, '\n'), /val\.csv.*line 2/],
    ['an empty name', 'val.csv', (text) => text.replace(/^[0-9a-f]+\.jpg/m, ''), /val\.csv, line 2: .*empty/],
    ['a path', 'val.csv', (text) => text.replace(/\n/, '\n../'), /val\.csv, line 2: .*"\.\.\/.* bare name/],
    ['a table cut off', 'train.csv', cutOff, /train\.csv names 5 pictures, dataset\.json says 6/],
    [
      'an id twice',
      'categories.csv',
      (text) => text.replace('1,', '0,'),
      /categories\.csv, line 3: .* twice/,
    ],
    [
      'a gap in the ids',
      'categories.csv',
      (text) => text.replace('1,', '2,'),
      /line 3: the id is "2".* 0 to 1/,
    ],
    ['an empty label', 'categories.csv', (text) => text.replace('dog', ''), /line 3: the label is empty/],
    ['classes cut off', 'categories.csv', cutOff, /categories\.csv names 1 classes, dataset\.json says 2/],
  ];

  it.each(badTables)('refuses %s in %s', async (_, name, change, message) => {
    await edit(name, change);
    expect(await refusal()).toMatch(message);
  });

  it('counts lines as an editor does', async () => {
    await edit('train.csv', (text) => `\n\n${onLine(4, ',7')(text)}`);
    expect(await refusal()).toMatch(/train\.csv, line 6: the class is 7/);
  });

  it('refuses a train set without pictures', async () => {
    await edit('train.csv', () => 'image,class\n');
    await editJson((json) => ({ ...json, counts: { train: 0, val: 4, rejected: 0 } }));
    expect(await refusal()).toMatch(/train\.csv names no pictures/);
  });

  it.each<[string, (json: Record<string, unknown>) => unknown, RegExp]>([
    ['another version', (json) => ({ ...json, version: 2 }), /dataset\.json is of version 2/],
    ['no version', ({ version: _, ...json }) => json, /dataset\.json: version/],
    ['a mean that is none', (json) => ({ ...json, mean: { R: 1, G: 'x', B: 3 } }), /dataset\.json: mean\.G/],
    ['no shortest side', (json) => ({ ...json, minSide: null }), /dataset\.json: minSide/],
    ['a list', () => [], /dataset\.json/],
    ['null', () => null, /dataset\.json/],
  ])('refuses a dataset.json with %s', async (_, change, message) => {
    await editJson(change);
    expect(await refusal()).toMatch(message);
  });

  it('refuses a dataset.json that was cut off', async () => {
    await edit('dataset.json', (text) => text.slice(0, 40));
    expect(await refusal()).toMatch(/dataset\.json is not JSON/);
  });
});

/** Replaces the last field of a line, counted from 1. */
function onLine(line: number, field: string): (text: string) => string {
  return (text) =>
    text
      .split('\n')
      .map((content, index) => (index === line - 1 ? content.replace(/,[^,]*$/, field) : content))
      .join('\n');
}

function cutOff(text: string): string {
  return `${text.trimEnd().split('\n').slice(0, -1).join('\n')}\n`;
}
