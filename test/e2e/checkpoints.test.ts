import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckpointList } from '../../src/train/list-checkpoints.js';
import { finalTensors, type Outcome, run, scratch, start, until, writePictures } from './tool.js';

const { path, remove } = scratch();
const runs = path('runs');
const settings = [
  ...['--run-dir', runs, '--threads', '1', '--workers', '1', '--stages', '32x1'],
  ...['--crop', '32', '--batch-size', '8', '--data', path('data')],
];
const train = (project: string, ...more: string[]): Promise<Outcome> =>
  run('train', '--project', project, ...settings, ...more);
const file = (project: string, name: string): string =>
  join(runs, project, 'checkpoints', `${name}.safetensors`);

async function listed(project: string): Promise<CheckpointList['checkpoints']> {
  const { stdout } = await run('checkpoints', project, '--run-dir', runs, '--json');
  return (JSON.parse(stdout) as CheckpointList).checkpoints;
}

function refused({ status, stderr }: Outcome, message: RegExp): void {
  expect(status).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at |defect of resnode/);
}

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog'], 24);
  const made = await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40');
  expect(made.status, made.stderr).toBe(0);
  const trained = await train('birds', '--epochs', '4', '--keep-last', '9');
  expect(trained.status, trained.stderr).toBe(0);
}, 120_000);
afterAll(remove);

describe('resnode checkpoints', () => {
  it('lists a run by its name or its folder', async () => {
    const checkpoints = await listed('birds');
    expect(checkpoints.map(({ epoch, step }) => [epoch, step])).toEqual(
      [1, 2, 3, 4].map((each) => [each, 0]),
    );
    const last = checkpoints.at(-1);
    const content = readFileSync(file('birds', 'epoch-0004'));
    expect(last).toMatchObject({
      ...{ last: true, state: 'whole', bytes: content.length },
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(checkpoints.filter(({ best }) => best)).toHaveLength(1);
    for (const name of [join(runs, 'birds'), `${runs}/birds/`]) {
      const { status, stdout } = await run('checkpoints', name);
      expect(status).toBe(0);
      expect(stdout.split('\n')).toHaveLength(4 + 3);
      expect(stdout).toMatch(/\n +4 .* % .*kB {2}[0-9a-f]{12} {2}last.*whole {2,}epoch-0004\.safetensors\n/);
    }
    const latest = await run('checkpoints', '--run-dir', runs);
    expect(latest.stdout).toContain('birds');
  });

  it('says which one is damaged, by the exit code too', async () => {
    await train('hurt', '--epochs', '2');
    truncateSync(file('hurt', 'epoch-0001'), statSync(file('hurt', 'epoch-0001')).size - 4096);
    const { status, stdout } = await run('checkpoints', 'hurt', '--run-dir', runs);
    expect(status).toBe(1);
    expect(stdout).toMatch(/damaged +epoch-0001\.safetensors\n/);
    expect(stdout).toMatch(/\nepoch-0001\.safetensors: .*cut off/);
    expect((await listed('hurt')).map(({ state }) => state)).toEqual(['damaged', 'whole']);
  });

  it('refuses a run that is not there', async () => {
    refused(await run('checkpoints', 'nobody', '--run-dir', runs), /nobody has no checkpoint/);
    refused(await run('checkpoints', '--run-dir', path('nowhere')), /no trained run in .*nowhere/);
    expect(existsSync(join(runs, 'nobody'))).toBe(false);
  });
});

describe('resnode train', () => {
  it('--resume FILE goes back, moves what came later, and learns the same again', async () => {
    const before = await finalTensors(runs, 'birds');
    const back = await train('birds', '--resume', file('birds', 'epoch-0002'));
    expect(back.status, back.stderr).toBe(0);
    expect(back.stderr).toMatch(
      /going back to .*epoch-0002.*: 2 later checkpoints were moved to .*replaced\/1/,
    );
    expect(readdirSync(join(runs, 'birds', 'checkpoints', 'replaced', '1')).sort()).toEqual([
      'epoch-0003.safetensors',
      'epoch-0004.safetensors',
    ]);
    expect(await finalTensors(runs, 'birds')).toEqual(before);
  });

  it('--fork NAME begins a new run with the same weights, and leaves the old one alone', async () => {
    const old = readdirSync(join(runs, 'birds', 'checkpoints'));
    const fork = await train('birds', '--fork', 'later', '--epochs', '5');
    expect(fork.status, fork.stderr).toBe(0);
    expect(readdirSync(join(runs, 'birds', 'checkpoints'))).toEqual(old);
    expect(readFileSync(file('later', 'epoch-0004')).equals(readFileSync(file('birds', 'epoch-0004')))).toBe(
      true,
    );
    expect((await listed('later')).at(-1)).toMatchObject({ epoch: 5, last: true });
    refused(await train('birds', '--fork', 'later'), /later exists already/);
    const earlier = ['--resume', file('birds', 'epoch-0001'), '--fork', 'earlier', '--run-dir', runs];
    const again = await run('train', ...earlier, '--threads', '1');
    expect(again.status, again.stderr).toBe(0);
    expect(await finalTensors(runs, 'earlier')).toEqual(await finalTensors(runs, 'birds'));
  });

  it('refuses a file of another run, a fork of nothing, and no name', async () => {
    refused(
      await train('hurt', '--resume', file('birds', 'epoch-0001')),
      /not a checkpoint of the run .*hurt/,
    );
    refused(await train('nobody', '--fork', 'new'), /nothing to fork/);
    refused(await run('train', '--data', path('data')), /--project NAME/);
    expect(existsSync(join(runs, 'new'))).toBe(false);
  });

  it('saves within the epoch by --checkpoint-interval, and keeps --keep-last', async () => {
    const flags = ['--epochs', '2', '--checkpoint-interval', '3steps', '--keep-last', '2'];
    expect((await train('often', ...flags)).status).toBe(0);
    const log = readFileSync(join(runs, 'often', 'output.log'), 'utf8');
    expect(log).toMatch(/saved .*epoch-0000-step-000003\.safetensors/);
    expect((await listed('often')).length).toBeLessThanOrEqual(3);
    refused(
      await train('odd', '--checkpoint-interval', '4bananas'),
      /checkpoint interval cannot be "4bananas"/,
    );
  });

  it('is kept out of a run in use, and let in when its owner was killed', async () => {
    const args = ['train', '--project', 'busy', ...settings, '--epochs', '5000'];
    const first = start(args);
    await until(() => existsSync(join(runs, 'busy', 'checkpoints', 'last')), first);
    refused(await run(...args), /busy is in use by process \d+/);
    refused(await run('train', '--project', 'birds', '--fork', 'busy', ...settings), /busy is in use/);
    first.child.kill('SIGKILL');
    expect((await first.outcome).status).toBeNull();
    expect(existsSync(join(runs, 'busy', 'lock'))).toBe(true);
    const second = start(args);
    await until(() => /resume from/.test(second.said()), second);
    second.child.kill('SIGTERM');
    expect((await second.outcome).status).toBe(143);
    expect(existsSync(join(runs, 'busy', 'lock'))).toBe(false);
  });
});
