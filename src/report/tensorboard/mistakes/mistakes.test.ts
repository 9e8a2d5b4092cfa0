import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MistakesExtra } from './mistakes-extra.js';
import { type Mistake, mistakesSheet } from './sheet.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'resnode-mistakes-'));
  for (const [name, background] of Object.entries({ red: '#f00', green: '#0f0', blue: '#00f' })) {
    await sharp({ create: { width: 40, height: 20, channels: 3, background } })
      .png()
      .toFile(join(folder, `${name}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Colour at a place of a sheet. */
async function colour(sheet: Uint8Array, left: number, top: number): Promise<number[]> {
  const pixel = await sharp(sheet).extract({ left, top, width: 1, height: 1 }).raw().toBuffer();
  return [...pixel.subarray(0, 3)];
}

const judged = (name: string, label: number, id: number, probability: number) => ({
  file: `${name}.png`,
  label,
  top: [{ id, probability }],
});

describe('MistakesExtra', () => {
  const make = (count: number): MistakesExtra =>
    new MistakesExtra({ source: { folder, samples: [] }, classes: ['cat', 'dog'], count });
  const checkpoint = (epoch: number, best = true) => ({ path: 'x', epoch, best });

  it('shows the surest mistakes of the epoch, and not what was right', async () => {
    const extra = make(2);
    extra.notePictures([judged('red', 0, 1, 0.6), judged('blue', 1, 1, 0.99)]);
    extra.notePictures([judged('green', 1, 0, 0.9), judged('blue', 0, 1, 0.5)]);
    extra.noteEpoch(1);
    const [value, ...others] = await extra.values(checkpoint(1));
    expect(others).toEqual([]);
    expect(value?.tag).toBe('Mistakes');
    const {
      encodedImageString: sheet,
      width,
      height,
    } = value?.image ?? { encodedImageString: new Uint8Array() };
    expect(await sharp(sheet).metadata()).toMatchObject({ format: 'png', width, height, channels: 3 });
    expect(await colour(sheet, 88, 88)).toEqual([0, 255, 0]);
    expect(await colour(sheet, 88 + 168, 88)).toEqual([255, 0, 0]);
  });

  it('shows each epoch its own, and those alone that are the best', async () => {
    const extra = make(5);
    extra.notePictures([judged('red', 0, 1, 0.6)]);
    extra.noteEpoch(1);
    extra.notePictures([judged('green', 0, 1, 0.6)]);
    extra.noteEpoch(2);
    extra.noteEpoch(3);
    expect(await extra.values(checkpoint(1, false))).toEqual([]);
    const [value] = await extra.values(checkpoint(2));
    expect(await colour(value?.image?.encodedImageString ?? new Uint8Array(), 88, 88)).toEqual([0, 255, 0]);
    expect(await extra.values(checkpoint(3))).toEqual([]);
  });
});

describe('a dataset of shards', () => {
  it('has its pictures shown too', async () => {
    const jpeg = readFileSync(join(folder, 'blue.png'));
    writeFileSync(join(folder, 'val-000000.tar'), Buffer.concat([Buffer.alloc(512), jpeg, Buffer.alloc(99)]));
    const file = 'val-000000.tar/blue.png';
    const sample = { file, label: 0, place: { shard: 0, offset: 512, length: jpeg.length } };
    const source = { folder, samples: [{ file: 'val-000000.tar/red.png', label: 1 }, sample] };
    const extra = new MistakesExtra({ source, classes: ['cat', 'dog'], count: 1 });
    extra.notePictures([{ file, label: 0, top: [{ id: 1, probability: 0.6 }] }]);
    extra.noteEpoch(1);
    const [value] = await extra.values({ path: 'x', epoch: 1, best: true });
    expect(await colour(value?.image?.encodedImageString ?? new Uint8Array(), 88, 88)).toEqual([0, 0, 255]);
  });
});

describe('mistakesSheet', () => {
  it('takes any name and a picture that is gone', async () => {
    const names = ['', '<&>"\'', 'a\u0000\u0008\n\ufffe\ud800', '猫'.repeat(80), ']]>', '  x  '];
    const mistakes = names.map(
      (label): Mistake => ({
        read: () => Promise.reject(new Error('gone')),
        label,
        said: label,
        probability: 1,
      }),
    );
    const { encodedImageString, width, height } = await mistakesSheet(mistakes);
    // five a row
    expect([width, height]).toEqual([8 + 5 * 168, 8 + 2 * (160 + 36 + 8)]);
    expect(await colour(encodedImageString, 88, 88)).toEqual([242, 242, 242]);
  });
});
