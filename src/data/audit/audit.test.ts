import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/random-stream.js';
import { preprocess } from '../preprocess/preprocess.js';
import { type Audit, audit } from './audit.js';
import { auditPage } from './page.js';
import { auditJson, auditSummary } from './summary.js';

let folder: string;

/** Blobs of colour that no other seed gives. */
async function picture(seed: number, width = 120, height = 90): Promise<Buffer> {
  const random = new RandomStream(seed, 0);
  const small = Buffer.from(Uint8Array.from({ length: 8 * 6 * 3 }, () => random.below(256)));
  return sharp(small, { raw: { width: 8, height: 6, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .png()
    .toBuffer();
}

function put(path: string, bytes: Buffer | string): void {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, bytes);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resnode-audit-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a folder of pictures', () => {
  let found: Audit;

  beforeAll(async () => {
    for (let index = 0; index < 12; index++) put(`photos/cat/c${index}.png`, await picture(index));
    for (let index = 0; index < 3; index++) put(`photos/dog/d${index}.png`, await picture(100 + index));
    put('photos/cat/copy.png', await picture(3));
    put('photos/dog/also a cat.png', await picture(5));
    const jpeg = await sharp(await picture(7))
      .resize(80, 60)
      .jpeg({ quality: 70 })
      .toBuffer();
    put('photos/cat/c7 small.jpg', jpeg);
    put('photos/dog/cut.jpg', jpeg.subarray(0, jpeg.length >> 1));
    put('photos/dog/empty.jpg', '');
    put('photos/dog/text.jpg', 'no picture');
    put('photos/dog/tiny.png', await picture(300, 12, 9));
    put('photos/dog/long.png', await picture(301, 600, 100));
    put(
      'photos/cat/grey.png',
      await sharp(await picture(302))
        .greyscale()
        .toBuffer(),
    );
    put(
      'photos/cat/print.jpg',
      await sharp(await picture(303))
        .toColourspace('cmyk')
        .jpeg()
        .toBuffer(),
    );
    for (const name of ['blank1', 'blank2']) {
      const blank = sharp({
        create: { width: name === 'blank1' ? 90 : 91, height: 80, channels: 3, background: '#fff' },
      });
      put(`photos/cat/${name}.png`, await blank.png().toBuffer());
    }
    found = await audit({ folder: join(folder, 'photos'), minPictures: 10, workers: 2 });
  });

  const names = (groups: Audit['duplicates']): string[][] =>
    groups.map(({ pictures }) => pictures.map(({ picture: { file } }) => file).sort()).sort();

  it('names broken files with the reason', () => {
    expect(found.broken.map(({ file, reason }) => `${file}: ${reason}`).sort()).toEqual([
      'dog/cut.jpg: damaged or cut off',
      'dog/empty.jpg: empty file',
      'dog/text.jpg: not a picture: unknown content',
    ]);
  });

  it('finds copies, and the same picture in another size and format', () => {
    expect(names(found.duplicates)).toEqual([
      ['cat/c3.png', 'cat/copy.png'],
      ['cat/c5.png', 'dog/also a cat.png'],
      ['cat/c7 small.jpg', 'cat/c7.png'],
    ]);
    expect(found.duplicates.map(({ kind }) => kind).sort()).toEqual(['exact', 'exact', 'near']);
  });

  it('finds a picture in two classes; nothing is split, so nothing leaks', () => {
    expect(names(found.clashes)).toEqual([['cat/c5.png', 'dog/also a cat.png']]);
    expect(found.leaks).toEqual([]);
  });

  it('counts classes', () => {
    expect(found.classes).toEqual([
      { label: 'cat', pictures: 18 },
      { label: 'dog', pictures: 6 },
    ]);
    expect(found.smallClasses).toEqual([{ label: 'dog', pictures: 6 }]);
    expect(found.imbalance).toBe(3);
  });

  it('finds odd sizes and colours', () => {
    expect(found.sizeOutliers.map(({ picture }) => picture.file)).toEqual(['dog/tiny.png']);
    expect(found.aspectOutliers.map(({ picture }) => picture.file)).toEqual(['dog/long.png']);
    // grey.png and both blank ones
    expect(found.greyShare).toBeCloseTo(3 / 24);
    expect(found.cmykShare).toBeCloseTo(1 / 24);
  });

  it('is told as text, JSON and a page', async () => {
    expect(auditSummary(found)).toMatch(/label clashes +1 group/);
    expect(JSON.parse(JSON.stringify(auditJson(found)))).toMatchObject({
      clashes: 1,
      leaks: 0,
      imbalance: 3,
    });
    const page = await auditPage(found);
    expect(page).toContain('dog/cut.jpg');
    // three pairs, a very small and a very long one
    expect(page.match(/data:image\/jpeg/g)?.length).toBe(8);
    expect(page).not.toMatch(/https?:/);
  });
});

describe('a dataset', () => {
  it('shows a picture that is in train and in val', async () => {
    for (const label of ['a', 'b']) {
      for (let index = 0; index < 8; index++) {
        put(`twins/${label}/${index}.png`, await picture(label === 'a' ? 40 : 500 + index));
      }
    }
    const data = join(folder, 'data');
    await preprocess({ pictures: join(folder, 'twins'), out: data, size: 64, valSplit: 0.25 });
    const found = await audit({ folder: data });
    expect(found.kind).toBe('dataset');
    expect(found.leaks).toHaveLength(1);
    expect(found.leaks[0]?.pictures).toHaveLength(8);
    expect(new Set(found.leaks[0]?.pictures.map(({ picture: { label } }) => label))).toEqual(new Set(['a']));
  });

  it('refuses what is neither', async () => {
    await expect(audit({ folder: join(folder, 'nothing') })).rejects.toThrow(/does not exist/);
  });

  it('stops when told', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(audit({ folder: join(folder, 'photos'), signal })).rejects.toThrow('enough');
  });
});
