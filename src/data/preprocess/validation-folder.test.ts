import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDataset } from '../dataset.js';
import type { PreprocessOptions } from './options.js';
import { type PreprocessResult, preprocess } from './preprocess.js';
import { colour, type PictureFolder, pictureFolder } from './testing/pictures.js';

let folder: PictureFolder;
let out: string;
let valDir: string;
beforeEach(async () => {
  folder = await pictureFolder();
  out = join(folder.root, 'data');
  valDir = join(folder.root, 'val');
  await mkdir(valDir);
  await folder.fill(3, 10);
});
afterEach(() => folder.remove());

const run = (options: Partial<PreprocessOptions>): Promise<PreprocessResult> =>
  preprocess({ pictures: folder.pictures, out, size: 16, valDir, ...options });

/** Validation pictures of other colours than the training pictures. */
async function flat(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await writeFile(join(valDir, `val_${i}.png`), await colour(150 + i));
}

test('validation pictures come from their own folder, with their classes from a list', async () => {
  await flat(6);
  const valList = join(folder.root, 'val.txt');
  await writeFile(valList, 'val_0.png b\nval_1.png c\nval_2.png a\nval_3.png b\nval_9.png a\n');
  const classNames = join(folder.root, 'names.txt');
  await writeFile(classNames, 'a Aal, der\nb crane\nc crane\n');
  const result = await run({ valList, classNames });
  expect(result.labels).toEqual(['Aal, der', 'crane (b)', 'crane (c)']);
  expect(result.counts).toEqual({ train: 30, val: 4, rejected: 2 });
  expect(result.warnings).toEqual([`1 picture of ${valList} not found: val_9.png`]);
  expect(await readFile(join(out, 'categories.csv'), 'utf8')).toBe(
    'id,label,folder\n0,"Aal, der",a\n1,crane (b),b\n2,crane (c),c\n',
  );
  expect(await readFile(join(out, 'rejected.csv'), 'utf8')).toBe(
    'file,reason\nval/val_4.png,not in the validation list\nval/val_5.png,not in the validation list\n',
  );
  const dataset = await readDataset(out);
  expect(dataset.classes).toEqual(result.labels);
  expect(dataset.val.map(({ label }) => label).sort()).toEqual([0, 1, 1, 2]);
  expect(JSON.parse(await readFile(join(out, 'dataset.json'), 'utf8')).options.valSplit).toBeNull();
});

test('without a list, the validation folder has a folder per class; another class is left out', async () => {
  for (const label of ['a', 'b', 'x']) {
    await mkdir(join(valDir, label));
    // the same paths as training pictures: they must not take each other's names
    for (let i = 0; i < 3; i++) await writeFile(join(valDir, label, `${i}.png`), await colour(150 + i));
  }
  const result = await run({ shards: 15_000 });
  expect(result.counts).toEqual({ train: 30, val: 6, rejected: 3 });
  expect(result.rejected[0]).toEqual({ file: 'val/x/0.png', reason: 'its class has no training pictures' });
  expect(result.warnings).toEqual(['without a picture for validation: class c']);
  const dataset = await readDataset(out);
  expect(dataset.val.map(({ label }) => label).sort()).toEqual([0, 0, 0, 1, 1, 1]);
});

test('a broken validation picture moves no other one', async () => {
  await flat(4);
  await writeFile(join(valDir, 'val_1.png'), 'broken');
  const valList = join(folder.root, 'val.txt');
  await writeFile(valList, '0\n1\n2\n0\n');
  const { counts, rejected } = await run({ valList });
  expect(counts).toEqual({ train: 30, val: 3, rejected: 1 });
  expect(rejected).toEqual([{ file: 'val/val_1.png', reason: 'not a picture: unknown content' }]);
});

test('faults of the folder and the files are said before anything is written', async () => {
  await expect(run({})).rejects.toThrow(/there are no validation pictures in .*val/);
  await flat(2);
  await expect(run({ valList: join(folder.root, 'nowhere.txt') })).rejects.toThrow(
    /cannot read .*nowhere\.txt: ENOENT/,
  );
  await expect(run({})).rejects.toThrow(/there are no validation pictures in/);
  await mkdir(join(valDir, 'x'));
  await writeFile(join(valDir, 'x', '0.png'), await colour(1));
  await expect(run({})).rejects.toThrow(/no picture in .*val is of a class of the training pictures/);
  await expect(run({ classNames: join(folder.root, 'none.txt') })).rejects.toThrow(/cannot read .*none\.txt/);
  await expect(run({ out: join(valDir, 'out') })).rejects.toThrow(/lies inside/);
});
