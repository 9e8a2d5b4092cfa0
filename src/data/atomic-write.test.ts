import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomic } from './atomic-write.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnode-atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('makes and replaces a file, and leaves nothing else behind', async () => {
  const path = join(folder, 'a.json');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(folder)).toEqual(['a.json']);
});

test('a reader never sees a part of a file that is being replaced', async () => {
  const path = join(folder, 'a.bin');
  await writeFileAtomic(path, Buffer.alloc(1 << 20, 0));
  const writing = (async () => {
    for (let round = 1; round <= 20; round++) await writeFileAtomic(path, Buffer.alloc(1 << 20, round));
  })();
  let finished = false;
  const done = writing.finally(() => {
    finished = true;
  });
  while (!finished) {
    const bytes = await readFile(path);
    expect(bytes.length).toBe(1 << 20);
    expect(bytes[0]).toBe(bytes.at(-1));
  }
  await done;
});

test('a failure leaves the old content and no temporary file', async () => {
  const path = join(folder, 'taken');
  await mkdir(path);
  await writeFile(join(path, 'inside'), 'x');
  await expect(writeFileAtomic(path, 'new')).rejects.toMatchObject({ syscall: 'rename' });
  expect(await readdir(folder)).toEqual(['taken']);
  await expect(writeFileAtomic(join(folder, 'no', 'a'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
});
