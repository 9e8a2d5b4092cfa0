import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspectOutput, OutputFolder } from './output-folder.js';

let root: string;
let out: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-out-'));
  out = join(root, 'new', 'data');
});
afterEach(() => rm(root, { recursive: true }));

const name = 'ab'.repeat(16);
const marker = 'preprocess.unfinished';

async function finishedDataset(): Promise<void> {
  const folder = await OutputFolder.claim(out);
  await writeFile(folder.picture(false, name), 'jpeg');
  await folder.write('train.csv', 'image,class\n');
  await folder.finish('{}');
}

/** The id of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  return child.pid ?? 0;
}

async function leftover(owner: object): Promise<void> {
  await mkdir(join(out, 'train'), { recursive: true });
  await writeFile(join(out, 'train', `${name}.jpg`), 'half');
  await writeFile(join(out, 'train.csv'), 'half');
  await writeFile(join(out, marker), JSON.stringify(owner));
}

test('a run makes the folder, and the marker is there until dataset.json is', async () => {
  const folder = await OutputFolder.claim(out);
  expect((await readdir(out)).sort()).toEqual([marker, 'train', 'val']);
  await writeFile(folder.picture(false, name), 'jpeg');
  await writeFile(folder.journal, '');
  await folder.write('train.csv', 'a');
  await folder.write('val.csv', ['b', 'c']);
  await folder.finish('{"version":1}');
  expect((await readdir(out)).sort()).toEqual(['dataset.json', 'train', 'train.csv', 'val', 'val.csv']);
  expect(await readdir(join(out, 'train'))).toEqual([`${name}.jpg`]);
  expect(await readFile(join(out, 'val.csv'), 'utf8')).toBe('bc');
});

test('an empty folder is used, also with what systems put into it', async () => {
  await mkdir(join(out, 'lost+found'), { recursive: true });
  await (await OutputFolder.claim(out)).discard();
  expect(await readdir(out)).toEqual(['lost+found']);
});

test('a finished dataset, other files, and a file in its place are left alone', async () => {
  await finishedDataset();
  await expect(OutputFolder.claim(out)).rejects.toThrow(/already holds a finished dataset/);
  expect(await readFile(join(out, 'train', `${name}.jpg`), 'utf8')).toBe('jpeg');
  const other = join(root, 'thesis');
  await mkdir(other);
  await writeFile(join(other, 'thesis.txt'), 'years of work');
  await expect(OutputFolder.claim(other)).rejects.toThrow(/already holds something else \(thesis\.txt\)/);
  await expect(OutputFolder.claim(join(other, 'thesis.txt'))).rejects.toThrow(/is a file, not a folder/);
  await expect(OutputFolder.claim(join(other, 'thesis.txt', 'x'))).rejects.toThrow(
    /a part of its path is a file/,
  );
  expect(await readdir(other)).toEqual(['thesis.txt']);
});

test('the leftover of a process that is gone is cleared', async () => {
  await leftover({ pid: await endedProcess(), host: hostname(), began: '1' });
  const folder = await OutputFolder.claim(out);
  expect(folder.cleaned).toBe(true);
  expect((await readdir(out)).sort()).toEqual([marker, 'train', 'val']);
  expect(await readdir(join(out, 'train'))).toEqual([]);
  await folder.discard();
});

test('a leftover of an earlier process of the same id, and a marker that was cut off, count as gone', async () => {
  await leftover({ pid: process.pid, host: hostname(), began: '1' });
  await (await OutputFolder.claim(out)).discard();
  await leftover({});
  await writeFile(join(out, marker), '{"pid":');
  await (await OutputFolder.claim(out)).discard();
});

test('the folder of a run that goes on is refused, in this process, another, and on another host', async () => {
  const folder = await OutputFolder.claim(out);
  await expect(OutputFolder.claim(out)).rejects.toThrow(/is being written by another run/);
  await folder.discard();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  try {
    await leftover({ pid: child.pid, host: hostname(), began: null });
    await expect(OutputFolder.claim(out)).rejects.toThrow(
      new RegExp(`another run \\(process ${child.pid}\\)`),
    );
    await writeFile(join(out, marker), JSON.stringify({ pid: 1, host: 'elsewhere', began: null }));
    await expect(inspectOutput(out)).rejects.toThrow(/process 1 on elsewhere/);
  } finally {
    child.kill('SIGKILL');
  }
  expect(await readFile(join(out, 'train', `${name}.jpg`), 'utf8')).toBe('half');
});

test('a leftover with files of someone else in it is not cleared', async () => {
  const owner = { pid: await endedProcess(), host: hostname(), began: '1' };
  await leftover(owner);
  await writeFile(join(out, 'mine.txt'), 'x');
  await expect(OutputFolder.claim(out)).rejects.toThrow(/something else \(mine\.txt\)/);
  await rm(join(out, 'mine.txt'));
  await writeFile(join(out, 'train', 'mine.txt'), 'x');
  await expect(OutputFolder.claim(out)).rejects.toThrow(/cannot write the dataset/);
  expect(await readFile(join(out, 'train', 'mine.txt'), 'utf8')).toBe('x');
});

test('discard removes what the run wrote and made', async () => {
  const folder = await OutputFolder.claim(out);
  await writeFile(folder.picture(true, name), 'jpeg');
  await folder.discard();
  expect(await readdir(join(root, 'new'))).toEqual([]);
});

test.runIf(process.platform === 'linux')(
  'a place where no folder can be made is named, and does not hang',
  async () => {
    await expect(OutputFolder.claim('/proc/resnode/data')).rejects.toThrow(
      'cannot write the dataset in /proc/resnode/data: a folder cannot be made there',
    );
  },
);
