import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, scratch, start, writePictures } from './tool.js';

const { path, remove } = scratch();
const config = ['--config', path('resnode.config.ts')];

beforeAll(async () => {
  await writePictures(path('pictures'), ['001.cat', '002.dog'], 20);
  writeFileSync(
    path('resnode.config.ts'),
    `import { defineConfig } from 'resnode/config';
    const size: number = 40;
    export default defineConfig({
      project: 'pets', runDir: 'runs', data: 'data', threads: 1, workers: 1,
      stages: '32x1,64x1', batchSize: 8, epochs: 2, precision: 'fp32',
      transforms: ({ height, width }) => ({ train: [{ name: 'RandomCrop', options: { height, width } }] }),
      preprocess: { input: 'pictures', size, readClassLabel: (path) => path.split('.')[1] ?? path },
    });`,
  );
  const made = await run('preprocess', ...config);
  expect(made.status, made.stderr).toBe(0);
}, 120_000);
afterAll(remove);

/** Lines of a text without the time in front. */
const lines = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\S+Z /, ''));

describe('a configuration', () => {
  it('says how to prepare, by a function of its own', () => {
    expect(readFileSync(path('data', 'categories.csv'), 'utf8')).toMatch(/0,cat\r?\n1,dog/);
  });

  it('says how to train; without a terminal stderr is the log, stdout the result', async () => {
    const { status, stdout, stderr } = await run('train', ...config, '--json');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', epoch: 2 });
    const shown = lines(stderr).slice(1);
    expect(shown[0]).toMatch(/^start: resnet-32x1-64x1, 2 classes, 32 \+ 8 pictures, crop 35, batch 8/);
    expect(shown.filter((line) => /^epoch=\d, /.test(line))).toHaveLength(2);
    expect(shown.filter((line) => /^saved .*epoch-000\d/.test(line))).toHaveLength(2);
    expect(lines(readFileSync(path('runs', 'pets', 'output.log'), 'utf8')).slice(0, -1)).toEqual(shown);
    const saved = JSON.parse(readFileSync(path('runs', 'pets', 'config.json'), 'utf8'));
    expect(saved.transforms.train).toEqual([{ name: 'RandomCrop', options: { height: 35, width: 35 } }]);
  });

  it('stands between a flag and what the run was started with', async () => {
    const { stdout } = await run('config', ...config, '--seed', '3', '--json');
    const { settings } = JSON.parse(stdout);
    expect(settings.seed).toEqual({ value: 3, source: 'flag' });
    expect(settings.epochs).toEqual({ value: 2, source: path('resnode.config.ts') });
    expect(settings.keepLast.source).toMatch(/^run .*runs\/pets$/);
    expect(settings.crop.value).toBe(35);
    const more = await run('train', ...config, '--epochs', '3', '--log-format', 'json');
    expect(more.status, more.stderr).toBe(0);
    const events = more.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event as string);
    expect(events).toEqual(expect.arrayContaining(['resume', 'epoch', 'saved']));
    expect(events.filter((event) => event === 'epoch')).toHaveLength(1);
  });
});

it('a log that is rotated in mid-run loses no line', async () => {
  mkdirSync(path('logs'));
  const log = path('logs', 'train.log');
  const epochs = 60;
  const args = ['--project', 'rotated', '--epochs', String(epochs), '--log-file', log];
  const running = start(['train', ...config, ...args]);
  let over = false;
  void running.outcome.then(() => {
    over = true;
  });
  let rotations = 0;
  while (!over) {
    if (existsSync(log)) renameSync(log, `${log}.${rotations++}`);
    await sleep(25);
  }
  const { status, stderr } = await running.outcome;
  expect(status, stderr).toBe(0);
  expect(rotations).toBeGreaterThan(3);
  const all = readdirSync(path('logs'))
    .flatMap((name) => readFileSync(path('logs', name), 'utf8').trim().split('\n'))
    .sort();
  const numbers = all.flatMap((line) => /Z epoch=(\d+), /.exec(line)?.[1] ?? []).map(Number);
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: epochs }, (_, index) => index + 1));
  expect(all.filter((line) => / saved /.test(line))).toHaveLength(epochs);
  expect(existsSync(path('runs', 'rotated', 'output.log'))).toBe(false);
}, 120_000);
