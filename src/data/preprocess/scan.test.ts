import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkPictureFolder, scanPictures } from './scan.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-scan-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(file: string, content: string | Buffer = 'x'): Promise<void> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

test('class folders lie at any depth and are those that directly hold pictures', async () => {
  for (const file of ['b/cat/2.JPG', 'b/cat/1.png', 'a/1.webp', 'a/deep/er/1.tiff', 'with space/ü 1.gif'])
    await put(file);
  await mkdir(join(root, 'empty/folder'), { recursive: true });
  expect(await scanPictures(root)).toEqual({
    folders: [
      { path: 'a', pictures: ['1.webp'] },
      { path: 'a/deep/er', pictures: ['1.tiff'] },
      { path: 'b/cat', pictures: ['1.png', '2.JPG'] },
      { path: 'with space', pictures: ['ü 1.gif'] },
    ],
    rejected: [],
    ignored: 0,
  });
});

test('other files are passed over and counted; hidden folders and those of systems are not entered', async () => {
  for (const file of ['a/1.png', 'a/notes.txt', 'a/.DS_Store', 'a/Thumbs.db', 'a/._1.png', 'README.md'])
    await put(file);
  for (const file of ['.git/1.png', '__MACOSX/a/1.png', 'a/@eaDir/1.png']) await put(file);
  const scan = await scanPictures(root);
  expect(scan.folders).toEqual([{ path: 'a', pictures: ['1.png'] }]);
  expect(scan.ignored).toBe(5);
});

test('a picture without an extension is known by its first bytes', async () => {
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await put('a/picture', png);
  await put('a/text', 'no picture');
  const scan = await scanPictures(root);
  expect(scan.folders).toEqual([{ path: 'a', pictures: ['picture'] }]);
  expect(scan.ignored).toBe(1);
});

test('links are followed, also to a folder above, without end', async () => {
  await put('a/1.png');
  await symlink('../a/1.png', join(root, 'a', '2.png'));
  await symlink('nowhere', join(root, 'a', '3.png'));
  await symlink('..', join(root, 'a', 'up'));
  await symlink('a', join(root, 'b'));
  expect(await scanPictures(root)).toEqual({
    folders: [
      { path: 'a', pictures: ['1.png', '2.png'] },
      { path: 'b', pictures: ['1.png', '2.png'] },
    ],
    rejected: [
      { file: 'a/3.png', reason: 'a link to nothing, or removed' },
      { file: 'b/3.png', reason: 'a link to nothing, or removed' },
    ],
    ignored: 0,
  });
});

test('pictures in no class folder are rejected', async () => {
  await put('a/1.png');
  await put('loose.jpg');
  expect((await scanPictures(root)).rejected).toEqual([
    { file: 'loose.jpg', reason: 'lies in no class folder' },
  ]);
});

test('the folder itself must be there', async () => {
  await put('file');
  await expect(checkPictureFolder(join(root, 'no'))).rejects.toThrow(/the folder .*no does not exist/);
  await expect(checkPictureFolder(join(root, 'file'))).rejects.toThrow(/file is not a folder/);
});
