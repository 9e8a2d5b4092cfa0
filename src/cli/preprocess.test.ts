import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { workerEntry } from '../worker-entry.js';

const require = createRequire(import.meta.url);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-cli-preprocess-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A program of this one command, with the exit codes of the tool. */
const program = `
  import { Command, CommanderError } from ${JSON.stringify(pathToFileURL(require.resolve('commander')).href)};
  import { preprocessCommand } from ${JSON.stringify(workerEntry('cli/preprocess.js').href)};
  const program = new Command('resnode').exitOverride();
  program.addCommand(preprocessCommand().copyInheritedSettings(program));
  try {
    await program.parseAsync(process.argv.slice(1), { from: 'user' });
  } catch (error) {
    process.exitCode = error instanceof CommanderError ? (error.exitCode && 2) : error.exitCode;
    console.error(error.message, error.hint ?? '');
  }
`;
const nodeOptions = ['--input-type=module', '-e', program, '--', 'preprocess'];

async function run(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeOptions, ...words], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function makePictures(perClass: number, side: number): Promise<void> {
  for (const label of ['cat', 'dog']) {
    await mkdir(join(root, 'photos', label), { recursive: true });
    const background = label === 'cat' ? 'red' : 'green';
    const bytes = await sharp({ create: { width: side, height: side, channels: 3, background } })
      .png()
      .toBuffer();
    for (let i = 0; i < perClass; i++) await writeFile(join(root, 'photos', label, `${i}.png`), bytes);
  }
}

test('prints what was made and what to type next', async () => {
  await makePictures(5, 40);
  await writeFile(join(root, 'photos', 'cat', 'broken.jpg'), 'text');
  const { code, stdout, stderr } = await run(
    'photos',
    '--out',
    'my data',
    '--size',
    '20x30',
    '--center-crop',
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^10 pictures of 2 classes in .* pictures\/s\)\n/);
  expect(stdout).toMatch(/train {5}8\n {2}val {7}2\n {2}rejected {2}1\n {4}cat\/broken\.jpg: not a picture/);
  expect(stdout).toMatch(/resnode train --data 'my data' --project NAME\n$/);
  const [picture = ''] = await readdir(join(root, 'my data', 'train'));
  expect(await sharp(join(root, 'my data', 'train', picture)).metadata()).toMatchObject({
    width: 30,
    height: 20,
  });
});

test('--json prints the result alone on stdout', async () => {
  await makePictures(3, 40);
  const { stdout } = await run(
    'photos',
    '--out',
    'data',
    '--size',
    '16',
    '--no-rgb-mean',
    '--seed',
    '4',
    '--json',
  );
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    out: 'data',
    classes: 2,
    counts: { train: 4, val: 2, rejected: 0 },
    mean: null,
  });
  expect(report.picturesPerSecond).toBeGreaterThan(0);
  const dataset = JSON.parse(await readFile(join(root, 'data', 'dataset.json'), 'utf8'));
  expect(dataset).toMatchObject({ seed: 4, size: 16, options: { rgbMean: false } });
});

test('wrong words on the command line are refused with exit code 2, bad input with 1', async () => {
  await makePictures(2, 10);
  for (const words of [
    ['photos'],
    ['photos', '--out', 'x', '--size', '12y'],
    ['photos', '--out', 'x', '--val-split', 'half'],
    ['photos', '--out', 'x', '--val-split', '1'],
    ['photos', '--out', 'x', '--label-pattern', '('],
    ['photos', '--out', 'x', '--workers', '-1'],
  ]) {
    const { code, stdout, stderr } = await run(...words);
    expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' });
    expect(stderr).not.toMatch(/\n\s+at /);
  }
  const { code, stderr } = await run('nowhere', '--out', 'x');
  expect(code).toBe(1);
  expect(stderr).toMatch(/the folder nowhere does not exist/);
  expect(await readdir(root)).toEqual(['photos']);
});

/** Waits until the run has done its first picture, and says so in its journal after the header. */
async function firstPicture(child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const journal = await readFile(join(root, 'data', 'preprocess.journal'), 'utf8').catch(() => '');
    if (journal.split('\n').length > 2) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the run ended before it was interrupted');
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', null],
] as const)('%s leaves no dataset, and the same command makes it', async (signal, expected) => {
  await makePictures(60, 700);
  const child = spawn(process.execPath, [...nodeOptions, 'photos', '--out', 'data'], { cwd: root });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await firstPicture(child);
  child.kill(signal);
  expect(await ended).toBe(expected);
  if (expected !== null) expect(stderr).toMatch(/interrupted.*Run the same command again: it goes on/s);
  expect(await readdir(join(root, 'data'))).toContain('preprocess.unfinished');
  expect(await readdir(join(root, 'data'))).not.toContain('dataset.json');
  const other = await run('photos', '--out', 'data', '--size', '8');
  expect(other).toMatchObject({ code: 1, stdout: '' });
  expect(other.stderr).toMatch(/another size \(256, now 8\).*--no-resume to start over/s);
  const again = await run('photos', '--out', 'data');
  expect(again.code).toBe(0);
  expect(again.stderr).toMatch(
    /^warning: went on with an interrupted run: \d+ of 120 pictures were done already\n$/,
  );
  await run('photos', '--out', 'fresh');
  for (const name of ['train.csv', 'val.csv', 'dataset.json']) {
    expect(await readFile(join(root, 'data', name))).toEqual(await readFile(join(root, 'fresh', name)));
  }
  expect(await readdir(join(root, 'data', 'train'))).toEqual(await readdir(join(root, 'fresh', 'train')));
});

test('--resume and --no-resume', async () => {
  await makePictures(40, 700);
  expect((await run('photos', '--out', 'data', '--resume')).stderr).toMatch(
    /there is no interrupted run in data/,
  );
  const child = spawn(process.execPath, [...nodeOptions, 'photos', '--out', 'data'], { cwd: root });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await firstPicture(child);
  child.kill('SIGKILL');
  await ended;
  const over = await run('photos', '--out', 'data', '--size', '8', '--no-resume');
  expect(over).toMatchObject({
    code: 0,
    stderr: 'warning: the leftovers of an interrupted run in data were removed\n',
  });
});

test('shards, a validation folder with its list, and class names', async () => {
  await makePictures(6, 40);
  await mkdir(join(root, 'val'));
  const [bytes] = await Promise.all([readFile(join(root, 'photos', 'cat', '0.png'))]);
  for (let i = 0; i < 3; i++) await writeFile(join(root, 'val', `${i}.png`), bytes);
  await writeFile(join(root, 'val.txt'), '1\n0\n0\n');
  await writeFile(join(root, 'names.txt'), 'cat Katze, klein\ndog Hund\n');
  const words = [
    '--val-dir',
    'val',
    '--val-list',
    'val.txt',
    '--class-names',
    'names.txt',
    '--shards',
    '1MB',
  ];
  const { code, stdout, stderr } = await run('photos', '--out', 'data', '--size', '16', ...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/train {5}12\n {2}val {7}3\n/);
  expect(stdout).toMatch(/shards {4}1 of train, 1 of val\n/);
  expect((await readdir(join(root, 'data'))).sort()).toEqual(
    [
      'categories.csv',
      'dataset.json',
      'rejected.csv',
      'rgb_val.json',
      'train-000000.idx',
      'train-000000.tar',
      'train.csv',
      'val-000000.idx',
      'val-000000.tar',
      'val.csv',
    ].sort(),
  );
});

test.runIf(process.platform === 'linux')('the thread pool is as large as --workers asks', async () => {
  const preload = join(root, 'threads.cjs');
  await writeFile(
    preload,
    `process.on('exit', () => console.log(require('node:fs').readdirSync('/proc/self/task').length));`,
  );
  const tool = fileURLToPath(new URL('../../bin/resnode.js', import.meta.url));
  const threads = async (workers: number): Promise<number> => {
    const words = [
      '--require',
      preload,
      tool,
      'preprocess',
      'nowhere',
      '--out',
      'x',
      '--workers',
      `${workers}`,
    ];
    const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
    return new Promise((resolve) => {
      execFile(process.execPath, words, { cwd: root, env }, (_error, stdout) => resolve(Number(stdout)));
    });
  };
  const cores = availableParallelism();
  expect((await threads(cores + 8)) - (await threads(1))).toBe(cores + 8 - Math.max(4, cores));
});
