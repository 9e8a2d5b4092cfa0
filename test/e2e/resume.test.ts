import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  damagedCheckpoints,
  finalTensors,
  type RunningTool,
  run,
  scratch,
  smallTraining,
  start,
  writePictures,
} from './tool.js';

const { path, remove } = scratch();
const epochs = '6';
const trainArgs = (project: string, workers: number): string[] => [
  'train',
  ...['--data', path('data'), '--project', project, '--run-dir', path('runs'), '--epochs', epochs],
  ...[...smallTraining, '--workers', String(workers)],
];

function lines(project: string): string[] {
  const log = readFileSync(path('runs', project, 'output.log'), 'utf8');
  return [...log.matchAll(/epoch=\d+, loss=.*?(?= \()/g)].map(([line]) => line);
}

/** Waits until a run's log holds `count` matches, or the run is over. */
async function logged(project: string, what: RegExp, count: number, running: RunningTool): Promise<void> {
  let over = false;
  void running.outcome.then(() => {
    over = true;
  });
  const file = path('runs', project, 'output.log');
  while (!over && !(existsSync(file) && [...readFileSync(file, 'utf8').matchAll(what)].length >= count)) {
    await sleep(10);
  }
}

let undisturbed: Map<string, string>;

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog', 'emu'], 40);
  expect((await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40')).status).toBe(0);
  const outcome = await run(...trainArgs('whole', 1));
  expect(outcome.status, outcome.stderr).toBe(0);
  undisturbed = await finalTensors(path('runs'), 'whole');
}, 180_000);

afterAll(remove);

describe('a training', () => {
  it('stopped by signals again and again gives the same bytes as one never stopped', async () => {
    const stops: Array<number | null> = [];
    // other numbers of loader threads on the way must change nothing
    for (let attempt = 0; attempt < 12; attempt++) {
      const running = start(trainArgs('stopped', 1 + (attempt % 3)));
      await logged('stopped', /(start: |resume from )/g, attempt + 1, running);
      // the moments spread over start, epochs and validation
      await sleep((attempt * 37) % 400);
      running.child.kill(attempt % 2 ? 'SIGINT' : 'SIGTERM');
      const { status, stderr } = await running.outcome;
      expect([0, 130, 143], stderr).toContain(status);
      stops.push(status);
      if (status === 0) break;
    }
    expect(stops.filter((status) => status !== 0).length).toBeGreaterThan(0);
    expect((await run(...trainArgs('stopped', 2))).status).toBe(0);
    expect(await finalTensors(path('runs'), 'stopped')).toEqual(undisturbed);
    expect(lines('stopped')).toEqual(lines('whole'));
  }, 240_000);

  it('killed outright loses the epoch at most, and every file that is left loads', async () => {
    let kills = 0;
    for (let epoch = 1; epoch < 5; epoch++) {
      const running = start(trainArgs('killed', 1));
      await logged('killed', /epoch=\d+, loss/g, epoch, running);
      // also while the checkpoint of that epoch is being written
      await sleep(epoch * 5);
      running.child.kill('SIGKILL');
      if ((await running.outcome).status === null) kills += 1;
      expect(await damagedCheckpoints(path('runs'), 'killed')).toEqual([]);
    }
    expect((await run(...trainArgs('killed', 1))).status).toBe(0);
    expect(kills).toBeGreaterThan(0);
    expect(await finalTensors(path('runs'), 'killed')).toEqual(undisturbed);
  }, 240_000);

  it('that learned colours tells them apart', async () => {
    const tested = await run('test', '--project', 'whole', '--run-dir', path('runs'), '--json');
    const { top1, images, loss } = JSON.parse(tested.stdout) as {
      top1: number;
      images: number;
      loss: number;
    };
    expect(images).toBe(24);
    expect(top1).toBeGreaterThan(90);
    expect(loss).toBeLessThan(0.5);
    const [picture = ''] = readdirSync(path('pictures', 'dog'));
    const predicted = await run(
      'predict',
      path('pictures', 'dog', picture),
      '--project',
      'whole',
      '--run-dir',
      path('runs'),
    );
    expect(predicted.stdout).toMatch(/picture.*\n\s+\d+\.\d+ %\s+dog/);
  });
});
