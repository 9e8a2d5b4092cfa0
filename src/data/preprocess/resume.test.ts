import { execFile } from 'node:child_process';
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rm,
  statfs,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PreprocessOptions, PreprocessProgress } from './options.js';
import { type PreprocessResult, preprocess } from './preprocess.js';
import { colour, contents, type PictureFolder, pictureFolder } from './testing/pictures.js';

let folder: PictureFolder;
let out: string;
beforeEach(async () => {
  folder = await pictureFolder();
  out = join(folder.root, 'data');
});
afterEach(() => folder.remove());

type Options = Partial<PreprocessOptions>;

function run(options: Options = {}): Promise<PreprocessResult> {
  return preprocess({ pictures: folder.pictures, out, size: 16, ...options });
}

/** Starts a run that is aborted at a progress report. @returns whether it was aborted */
async function abortAt(
  when: (progress: PreprocessProgress) => boolean,
  options: Options = {},
): Promise<boolean> {
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = (progress: PreprocessProgress): void => {
    if (when(progress)) controller.abort(reason);
  };
  const error = await run({ ...options, signal: controller.signal, onProgress }).then(
    () => undefined,
    (rejection: unknown) => rejection,
  );
  if (error !== undefined && error !== reason) throw error;
  return error === reason;
}

const atPicture =
  (number: number) =>
  ({ stage, done }: PreprocessProgress): boolean =>
    stage === 'pictures' && done >= number;

async function undisturbed(options: Options = {}): Promise<Map<string, string>> {
  const fresh = join(folder.root, 'fresh');
  await run({ ...options, out: fresh });
  return contents(fresh);
}

const call = promisify(execFile);

/** A disk of a few pages, which is at hand only where mounting is allowed. */
function mountSmallDisk(path: string, size: string): Promise<boolean> {
  return call('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).then(
    () => true,
    () => false,
  );
}

const forms = [
  ['a file for each picture', {}],
  ['shards', { shards: 20_000 }],
] as const;

describe.each(forms)('%s', (_, form) => {
  test('a run aborted again and again ends with the bytes of an undisturbed one', async () => {
    await folder.fill(3, 30);
    await folder.put('b/broken.jpg', 'text');
    await folder.put('a/cut.png', (await colour(3)).subarray(0, 60));
    let aborted = 0;
    for (let at = 10; at <= 90; at += 20) if (await abortAt(atPicture(at), form)) aborted++;
    expect(aborted).toBe(5);
    expect(await readdir(out)).toContain('preprocess.journal');
    expect(await readdir(out)).not.toContain('dataset.json');
    const result = await run(form);
    expect(result.resumed).toBeGreaterThanOrEqual(90);
    expect(result.warnings).toEqual([
      `went on with an interrupted run: ${result.resumed} of 92 pictures were done already`,
    ]);
    expect(await contents(out)).toEqual(await undisturbed(form));
    await expect(run(form)).rejects.toThrow(/already holds a finished dataset/);
  });

  test('a journal that was cut off, and pictures that were lost, are made good', async () => {
    await folder.fill(2, 20);
    await abortAt(atPicture(30), { ...form, workers: 1 });
    const journal = join(out, 'preprocess.journal');
    const { length } = await readFile(journal);
    await truncate(journal, length - 7);
    await appendFile(journal, Buffer.alloc(100));
    const kept = 'shards' in form ? 'spool' : 'train';
    const [first = ''] = await readdir(join(out, kept));
    await truncate(join(out, kept, first), 3);
    const { resumed } = await run(form);
    expect(resumed).toBe(28);
    expect(await contents(out)).toEqual(await undisturbed(form));
  });

  test('after a restart of the machine, what was written is looked at byte for byte', async () => {
    await folder.fill(2, 20);
    await abortAt(atPicture(30), { ...form, workers: 1 });
    const journal = join(out, 'preprocess.journal');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, text.replace(/"boot":("[^"]*"|null)/, '"boot":"before"'));
    const kept = 'shards' in form ? 'spool' : 'train';
    const [first = ''] = await readdir(join(out, kept));
    const bytes = await readFile(join(out, kept, first));
    // right in size, as a file system leaves it whose data did not reach the disk
    await writeFile(join(out, kept, first), Buffer.alloc(bytes.length));
    const { resumed } = await run(form);
    expect(resumed).toBeLessThan(30);
    expect(resumed).toBeGreaterThan(20);
    expect(await contents(out)).toEqual(await undisturbed(form));
  });

  test('pictures that changed meanwhile are made again, also into rejected ones', async () => {
    await folder.fill(2, 20);
    await abortAt(atPicture(39), { ...form, workers: 1 });
    await folder.put('a/0.png', await colour(200));
    await folder.put('a/1.png', 'no picture any more');
    await utimes(join(folder.pictures, 'b/3.png'), 1, 1);
    const { resumed, counts } = await run(form);
    expect(resumed).toBe(36);
    expect(counts).toEqual({ train: 31, val: 8, rejected: 1 });
    expect(await contents(out)).toEqual(await undisturbed(form));
  });

  test('other options or other pictures are refused, and what is there stays', async () => {
    await folder.fill(2, 20);
    await abortAt(atPicture(20), form);
    const before = (await contents(out)).size;
    const hint = /add --no-resume to start over/;
    for (const [options, message] of [
      [{ size: 20 }, /an interrupted run with another size \(16, now 20\)/],
      [{ seed: 4 }, /another seed \(0, now 4\)/],
      [{ valSplit: 0.5 }, /another val-split \(0.2, now 0.5\)/],
      [{ shards: 30_000 }, /another shards \((null|20000), now 30000\)/],
    ] as const) {
      await expect(run({ ...form, ...options })).rejects.toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
    }
    await folder.put('b/new.png', await colour(1));
    await expect(run(form)).rejects.toThrow(/of other pictures \(40, now 41\)/);
    await rm(join(folder.pictures, 'b/new.png'));
    expect((await contents(out)).size).toBe(before);
    const result = await run({ ...form, size: 20, resume: false });
    expect(result.warnings).toEqual([`the leftovers of an interrupted run in ${out} were removed`]);
    expect(result.resumed).toBe(0);
    expect(await contents(out)).toEqual(await undisturbed({ ...form, size: 20 }));
  });

  test('a full disk ends the run with its reason, and it goes on when there is room', async ({ skip }) => {
    await folder.fill(2, 60);
    await mkdir(out);
    if (!(await mountSmallDisk(out, '160k'))) return skip('mounting a small disk is not allowed here');
    try {
      await expect(run(form)).rejects.toMatchObject({
        message: `cannot write the dataset in ${out}: no space is left on its disk`,
        hint: expect.stringMatching(/Free some space, then run the same command again: it goes on/),
      });
      await call('mount', ['-o', 'remount,size=8m', out]);
      const { resumed } = await run(form);
      expect(resumed).toBeGreaterThan(10);
      expect(await contents(out)).toEqual(await undisturbed(form));
    } finally {
      await call('umount', [out]);
    }
  });
});

test('a run that is stopped while it makes shards goes on from the whole ones', async () => {
  const form = { shards: 20_000, workers: 1 };
  await folder.fill(3, 60);
  for (const packed of [30, 80, 130]) {
    expect(await abortAt(({ stage, done }) => stage === 'shards' && done >= packed, form)).toBe(true);
  }
  const there = await readdir(out);
  expect(there).toContain('preprocess.packing');
  expect(there.filter((name) => name.endsWith('.tar')).length).toBeGreaterThan(5);
  expect((await readdir(join(out, 'spool'))).length).toBeLessThan(120);
  // what a kill leaves of the shard that was being written
  await writeFile(join(out, '.train-000099.tar.0123456789ab.tmp'), 'half');
  const { resumed } = await run(form);
  expect(resumed).toBe(180);
  expect(await contents(out)).toEqual(await undisturbed(form));
});

test('a disk that is full while shards are made: what is done stays, and the same run ends well', async ({
  skip,
}) => {
  const form = { shards: 20_000 };
  await folder.fill(3, 60);
  await mkdir(out);
  if (!(await mountSmallDisk(out, '8m'))) return skip('mounting a small disk is not allowed here');
  try {
    expect(await abortAt(({ stage }) => stage === 'shards', form)).toBe(true);
    const { blocks, bfree, bsize } = await statfs(out);
    await call('mount', ['-o', `remount,size=${(blocks - bfree) * bsize + 48 * 1024}`, out]);
    await expect(run(form)).rejects.toThrow(
      `cannot write the dataset in ${out}: no space is left on its disk`,
    );
    expect((await readdir(out)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await call('mount', ['-o', 'remount,size=8m', out]);
    expect((await run(form)).resumed).toBe(180);
    expect(await contents(out)).toEqual(await undisturbed(form));
  } finally {
    await call('umount', [out]);
  }
});

test('a leftover without a journal is cleared, as there is nothing to go on with', async () => {
  await folder.fill(2, 10);
  await abortAt(atPicture(10));
  await rm(join(out, 'preprocess.journal'));
  const result = await run();
  expect(result.warnings).toEqual([`the leftovers of an interrupted run in ${out} were removed`]);
  expect(await contents(out)).toEqual(await undisturbed());
});

test('pictures that an interrupted run had moved to the other split are found there', async () => {
  await folder.fill(2, 20);
  // enough broken ones that the split of the good ones is another
  for (let i = 20; i < 40; i++) await folder.put(`a/${i}.png`, 'broken');
  expect(await abortAt(({ stage }) => stage === 'files')).toBe(true);
  const { resumed } = await run();
  expect(resumed).toBe(60);
  expect(await contents(out)).toEqual(await undisturbed());
});
