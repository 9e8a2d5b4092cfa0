import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Findings, findingsLine, PictureNotes } from './findings.js';
import { preprocess } from './preprocess.js';
import { colour, type PictureFolder, pictureFolder } from './testing/pictures.js';

let folder: PictureFolder;
beforeEach(async () => {
  folder = await pictureFolder();
});
afterEach(() => folder.remove());

async function grey(value: number, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> {
  const background = { r: value, g: value, b: value };
  return sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .toFormat(format)
    .toBuffer();
}

/** Two classes of which b has picture 3 of a as its own, twice; c holds two grey pictures and two without. */
async function withFaults(): Promise<void> {
  await folder.fill(2, 10);
  await folder.put('b/again.png', await colour(3));
  await folder.put('b/and again.png', await colour(3));
  await folder.put('c/1.png', await grey(90));
  await folder.put('c/2.jpg', await grey(140, 'jpeg'));
}

describe.each([undefined, '10kB'])('of a dataset with shards of %s', (shards) => {
  test('same pictures, labels that clash, sizes of classes and grey pictures are counted', async () => {
    await withFaults();
    const { findings } = await preprocess({
      ...{ pictures: folder.pictures, out: join(folder.root, 'data'), size: 24 },
      ...(shards === undefined ? {} : { shards }),
    });
    expect(findings).toMatchObject({
      duplicates: { groups: 1, pictures: 3, clashes: 1 },
      largest: { label: 'b', pictures: 12 },
      smallest: { label: 'c', pictures: 2 },
      imbalance: 6,
    });
    expect(findings.greyShare).toBeCloseTo(2 / 24);
  });
});

test('a picture in train and in val is a leak', async () => {
  await folder.fill(2, 3);
  await folder.put('a/copy.png', await colour(0));
  const other = await pictureFolder();
  await other.put('a/x.png', await colour(1));
  await other.put('b/y.png', await colour(99));
  const out = join(folder.root, 'data');
  const { findings } = await preprocess({ pictures: folder.pictures, valDir: other.pictures, out, size: 24 });
  await other.remove();
  expect(findings.duplicates).toEqual({ groups: 2, pictures: 4, clashes: 0, leaks: 1 });
});

test('an interrupted run that goes on finds the same', async () => {
  await withFaults();
  const whole = await preprocess({ pictures: folder.pictures, out: join(folder.root, 'whole'), size: 24 });
  const out = join(folder.root, 'data');
  const stop = new AbortController();
  const broken = preprocess({
    ...{ pictures: folder.pictures, out, size: 24, workers: 1, signal: stop.signal },
    onProgress: ({ stage, done }) => stage === 'pictures' && done === 17 && stop.abort(new Error('enough')),
  });
  await expect(broken).rejects.toThrow('enough');
  const { findings, resumed } = await preprocess({ pictures: folder.pictures, out, size: 24 });
  expect(resumed).toBeGreaterThan(10);
  expect(findings).toEqual(whole.findings);
});

test('without statistics the share of grey pictures is not known', async () => {
  await withFaults();
  const out = join(folder.root, 'data');
  const { findings } = await preprocess({ pictures: folder.pictures, out, size: 24, rgbMean: false });
  expect(findings.greyShare).toBeNull();
  expect(findings.duplicates.groups).toBe(1);
});

test('JPEGs of the same checksum are not the same where their pixels are not', () => {
  const notes = new PictureNotes(4);
  const written = (index: number, sums: number[]) => ({
    ...{ kind: 'written' as const, index, width: 5, height: 4, sums },
    ...{ length: 9, crc: 7, offset: 0, stamp: { size: 1, changed: 1 } },
  });
  for (const [index, red] of [1, 2, 1, 1].entries()) notes.add(written(index, [red, 2, 3, 4, 5, 6]));
  const kept = { lengths: new Uint32Array([9, 9, 9, 8]), crcs: new Uint32Array(4).fill(0xffffffff) };
  expect(notes.duplicates([0, 1, 2, 3], kept)).toEqual([[0, 2]]);
});

describe('the line', () => {
  const nothing: Findings = {
    duplicates: { groups: 0, pictures: 0, clashes: 0, leaks: 0 },
    largest: { label: 'cat', pictures: 90 },
    smallest: { label: 'dog', pictures: 30 },
    imbalance: 3,
    greyShare: 0.01,
  };

  test('is not there when there is nothing to say', () => {
    expect(findingsLine(nothing)).toBeUndefined();
    expect(findingsLine({ ...nothing, greyShare: null })).toBeUndefined();
  });

  test('names what was found', () => {
    const duplicates = { groups: 1200, pictures: 2500, clashes: 3, leaks: 40 };
    expect(findingsLine({ ...nothing, duplicates })).toBe(
      '1,200 pictures are there more than once (2,500 files, 3 of them under different labels, 40 in train and in val)',
    );
    const largest = { label: 'cat', pictures: 1234 };
    expect(findingsLine({ ...nothing, largest, imbalance: 41.13, greyShare: 0.025 })).toBe(
      'cat has 41 times as many pictures as dog (1,234, 30); 2.5 % of the pictures are grey',
    );
  });
});
