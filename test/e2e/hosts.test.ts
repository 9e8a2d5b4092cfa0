import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finalTensors, run, scratch, start, writePictures } from './tool.js';
import { launchersBetween, type TwoHosts, twoHosts } from './two-hosts.js';

const { path, remove } = scratch();
const tool = new URL('../../bin/resnode.js', import.meta.url).pathname;
const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

mkdirSync(path(), { recursive: true });
const hosts = process.platform === 'linux' ? twoHosts(path()) : undefined;

/** What each host has of its own: a folder of runs and a copy of the dataset. */
const trainArgs = (project: string, host: string): string[] => [
  'train',
  ...['--data', `${host}/data`, '--run-dir', `${host}/runs`, '--project', project, '--epochs', '2'],
  ...['--stages', '16x1,32x1', '--crop', '32', '--batch-size', '12', '--workers', '1', '--threads', '1'],
];

const launchers = (hosts ? launchersBetween(hosts) : []).filter(({ command }) => has(command));

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog', 'emu'], 40);
  const made = await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40');
  expect(made.status, made.stderr).toBe(0);
  for (const name of hosts?.names ?? []) cpSync(path('data'), path(name, 'data'), { recursive: true });
}, 180_000);

afterAll(() => {
  hosts?.remove();
  remove();
});

describe.skipIf(!hosts || launchers.length === 0)('two hosts with nothing in common but a network', () => {
  it.each(launchers)('train together with $name', { timeout: 300_000 }, async ({ name, launch }) => {
    const two = hosts as TwoHosts;
    const project = name.replace(' ', '');
    const train = (epochs: string) =>
      start(
        // each host has a folder of its own
        launch([
          ...['sh', '-c', `cd ${path()}/$(hostname) && exec "$@"`, 'sh', process.execPath, tool],
          ...[...trainArgs(project, '.'), '--epochs', epochs],
        ]),
        {},
        'ip',
      ).outcome;
    const before = two.sent();
    const outcome = await train('2');
    expect(outcome.status, outcome.stderr).toBe(0);
    // the gradients of 16 steps went over the cable
    expect(two.sent() - before).toBeGreaterThan(16 * 4 * 10_000);
    expect(existsSync(path(hosts?.names[1] ?? '', 'runs'))).toBe(false);
    const alone = await run(...trainArgs(`${project}-threads`, path(two.names[0])), '--devices', 'cpu:2');
    expect(alone.status, alone.stderr).toBe(0);
    expect(await finalTensors(path(two.names[0], 'runs'), project)).toEqual(
      await finalTensors(path(two.names[0], 'runs'), `${project}-threads`),
    );
    // and on, from a checkpoint that only the first host has
    const rest = await train('3');
    expect(rest.status, rest.stderr).toBe(0);
    expect(rest.stdout).toContain('trained 3 epochs');
  });
});
