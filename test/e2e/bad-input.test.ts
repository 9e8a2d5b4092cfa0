import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, run, scratch, smallTraining, start, until, writePictures } from './tool.js';

const { path, remove } = scratch();
const small = [...smallTraining, '--run-dir', path('runs')];

/** One clear message, a hint or not, never a stack, and not exit code 0. */
function expectClear(outcome: Outcome, message: RegExp): void {
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/\n\s+at |defect of resnode/);
  expect(outcome.status).toBeGreaterThan(0);
}

beforeAll(async () => {
  await writePictures(path('pictures'), ['ça va', 'dog', 'zébu'], 14);
  const made = await run(
    'preprocess',
    path('pictures'),
    '--out',
    path('data'),
    '--size',
    '40',
    '--workers',
    '1',
  );
  expect(made.stderr + made.status).toMatch(/0$/);
  const trained = await run('train', '--data', path('data'), '--project', 'good', '--epochs', '2', ...small);
  expect(trained.status, trained.stderr).toBe(0);
}, 180_000);

afterAll(remove);

describe('preprocess refuses', () => {
  it('a folder that is not there', async () => {
    expectClear(await run('preprocess', path('nowhere'), '--out', path('x')), /error: .*nowhere/);
    expect(existsSync(path('x'))).toBe(false);
  });

  it('an empty folder, and one class only', async () => {
    mkdirSync(path('empty'));
    expectClear(await run('preprocess', path('empty'), '--out', path('x')), /error: .*empty/);
    cpSync(path('pictures', 'dog'), path('one', 'dog'), { recursive: true });
    expectClear(await run('preprocess', path('one'), '--out', path('x')), /class/);
    expect(existsSync(path('x', 'dataset.json'))).toBe(false);
  });

  it('to overwrite a dataset or anything else', async () => {
    expectClear(await run('preprocess', path('pictures'), '--out', path('data')), /error: .*data/);
    mkdirSync(path('mine'));
    writeFileSync(path('mine', 'thesis.txt'), 'years of work');
    expectClear(await run('preprocess', path('pictures'), '--out', path('mine')), /error: .*mine/);
    expect(readdirSync(path('mine'))).toEqual(['thesis.txt']);
  });
});

describe('preprocess goes on past', () => {
  it('broken, empty and misnamed pictures, and says which', async () => {
    cpSync(path('pictures'), path('mixed'), { recursive: true });
    writeFileSync(path('mixed', 'dog', 'empty.jpg'), '');
    writeFileSync(path('mixed', 'dog', 'text.jpg'), 'I am no picture');
    cpSync(path('mixed', 'dog', 'picture 0.jpg'), path('mixed', 'dog', 'cut.jpg'));
    truncateSync(path('mixed', 'dog', 'cut.jpg'), 300);
    const outcome = await run(
      'preprocess',
      path('mixed'),
      '--out',
      path('mixed-data'),
      '--size',
      '40',
      '--json',
    );
    expect(outcome.status, outcome.stderr).toBe(0);
    const rejected = readFileSync(path('mixed-data', 'rejected.csv'), 'utf8').trim().split('\n').slice(1);
    expect(rejected.map((line) => line.split(',')[0]).sort()).toEqual([
      'dog/cut.jpg',
      'dog/empty.jpg',
      'dog/text.jpg',
    ]);
  });
});

describe('train refuses', () => {
  const refusals: Array<[what: string, args: string[], message: RegExp]> = [
    ['a dataset that is not there', ['--data', path('nowhere'), '--project', 'a'], /error: .*nowhere/],
    [
      'pictures that were not preprocessed',
      ['--data', path('pictures'), '--project', 'a'],
      /resnode preprocess/,
    ],
    ['a crop larger than the pictures', ['--data', path('data'), '--project', 'a', '--crop', '64'], /crop/],
    ['no epochs', ['--data', path('data'), '--project', 'a', '--epochs', '0'], /epochs/],
    [
      'a batch larger than the dataset',
      ['--data', path('data'), '--project', 'a', '--batch-size', '500'],
      /batch/,
    ],
    ['an unknown model', ['--data', path('data'), '--project', 'a', '--model', 'resnet62'], /did you mean/],
    [
      'an unknown schedule',
      ['--data', path('data'), '--project', 'a', '--schedule', 'platau'],
      /did you mean 'plateau'/,
    ],
    ['an unknown option', ['--data', path('data'), '--project', 'a', '--epoch', '2'], /--epochs/],
    ['a name that is a path', ['--data', path('data'), '--project', '../a'], /project/],
    [
      'another model in the same run',
      ['--data', path('data'), '--project', 'good', '--model', 'resnet20'],
      /model|resnet20/,
    ],
    [
      'a run folder that cannot be made',
      ['--data', path('data'), '--project', 'a', '--run-dir', '/proc/runs'],
      /\/proc\/runs/,
    ],
  ];
  for (const [what, args, message] of refusals) {
    it(what, async () => {
      const options = args.includes('--model') ? small.slice(2) : small;
      expectClear(await run('train', ...options, ...args), message);
      expect(existsSync(path('runs', 'a', 'checkpoints'))).toBe(false);
    });
  }

  it('another dataset under the same run', async () => {
    await writePictures(path('others'), ['cat', 'dog', 'emu'], 14);
    await run('preprocess', path('others'), '--out', path('other-data'), '--size', '40');
    const before = readdirSync(path('runs', 'good', 'checkpoints'));
    const args = ['--data', path('other-data'), '--project', 'good', '--epochs', '4', ...small];
    expectClear(await run('train', ...args), /other-data/);
    expect(readdirSync(path('runs', 'good', 'checkpoints'))).toEqual(before);
  });

  it('a second training in a run folder that is in use', async () => {
    const args = ['--data', path('data'), '--project', 'busy', '--epochs', '500', ...small];
    const first = start(['train', ...args]);
    await until(() => existsSync(path('runs', 'busy', 'checkpoints', 'last')), first);
    expectClear(await run('train', ...args), /in use|another|runs/);
    first.child.kill('SIGTERM');
    expect((await first.outcome).status).toBe(143);
  });
});

describe('training survives', () => {
  it('a learning rate that blows the loss up: stops, says where, keeps the last good checkpoint', async () => {
    const args = ['--data', path('data'), '--project', 'blow', ...small];
    expect((await run('train', ...args, '--epochs', '1')).status).toBe(0);
    const before = readdirSync(path('runs', 'blow', 'checkpoints'));
    expectClear(
      await run('train', ...args, '--epochs', '3', '--lr', '1e30'),
      /(NaN|Infinity|not finite|infinite)/,
    );
    expect(readdirSync(path('runs', 'blow', 'checkpoints'))).toEqual(before);
    expect((await run('test', '--project', 'blow', '--run-dir', path('runs'))).status).toBe(0);
  });

  it('a truncated last checkpoint: falls back on the one before and says so', async () => {
    cpSync(path('runs', 'good'), path('runs', 'cut'), { recursive: true });
    const last =
      readFileSync(path('runs', 'cut', 'checkpoints', 'last'), 'utf8')
        .trim()
        .split('\n')[0] ?? '';
    truncateSync(path('runs', 'cut', 'checkpoints', last), 1000);
    const outcome = await run('train', '--data', path('data'), '--project', 'cut', '--epochs', '3', ...small);
    expect(outcome.status, outcome.stderr).toBe(0);
    expect(outcome.stderr + outcome.stdout).toContain(last);
    expect(outcome.stdout + outcome.stderr).toMatch(/epoch=2/);
  });
});

describe('test and predict refuse', () => {
  it('a run or checkpoint that is not there, a checkpoint that is none, a picture that is none', async () => {
    const runs = ['--run-dir', path('runs')];
    expectClear(await run('test', '--project', 'nobody', ...runs), /nobody/);
    expectClear(await run('test', '--checkpoint', path('nothing.safetensors')), /nothing\.safetensors/);
    writeFileSync(path('fake.safetensors'), 'hello');
    expectClear(await run('test', '--checkpoint', path('fake.safetensors')), /fake\.safetensors/);
    writeFileSync(path('fake.jpg'), 'hello');
    expectClear(await run('predict', path('fake.jpg'), '--project', 'good', ...runs), /fake\.jpg/);
  });
});
