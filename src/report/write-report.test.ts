import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { madeReport } from '../../test/made-report.js';
import { readDataset } from '../data/dataset.js';
import { preprocess } from '../data/preprocess/preprocess.js';
import { type PictureFolder, pictureFolder } from '../data/preprocess/testing/pictures.js';
import { readPicture, validationPictures } from '../data/read-picture.js';
import { writeReport } from './write-report.js';

let folder: PictureFolder;
beforeAll(async () => {
  folder = await pictureFolder();
  await folder.fill(2, 10);
});
afterAll(() => folder.remove());

it('shows mistakes that lie in shards', async () => {
  const out = join(folder.root, 'shards');
  await preprocess({ pictures: folder.pictures, out, size: 24, shards: '30kB' });
  const dataset = await readDataset(out);
  const [sample] = dataset.val;
  if (!sample?.place) throw new Error('the dataset has no shards');
  const report = madeReport({ labels: ['a', 'b'], each: 40, file: () => sample.file });
  const { html } = await writeReport({ report, folder: folder.root, source: validationPictures(dataset) });
  const [, shown = ''] = /src="data:image\/jpeg;base64,([^"]+)"/.exec(await readFile(html, 'utf8')) ?? [];
  const small = sharp(Buffer.from(shown, 'base64'));
  const { width, height } = await sharp(await readPicture(out, sample)).metadata();
  expect(await small.metadata()).toMatchObject({ format: 'jpeg', width, height });
});
