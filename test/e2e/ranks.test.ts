import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../src/data/dataset.js';
import { installedMpis, ranksOf } from './mpi.js';
import {
  damagedCheckpoints,
  finalTensors,
  type Outcome,
  run,
  scratch,
  start,
  until,
  writePictures,
} from './tool.js';

const { path, remove } = scratch();
const mpis = installedMpis();

/** 96 training pictures, 12 to a step. */
const trainArgs = (project: string, ...more: string[]): string[] => [
  'train',
  ...['--data', path('data'), '--project', project, '--run-dir', path('runs'), '--no-tensorboard'],
  ...['--stages', '16x1,32x1', '--crop', '32', '--batch-size', '12', '--workers', '1', '--threads', '1'],
  ...more,
];

const logOf = (project: string): string => {
  const file = path('runs', project, 'output.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/** What each epoch came to, without its time. */
const figures = (project: string): string[] =>
  [...logOf(project).matchAll(/epoch=\d+, loss=.*?(?= \()/g)].map(([line]) => line);

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog', 'emu'], 40);
  const made = await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40');
  expect(made.status, made.stderr).toBe(0);
}, 180_000);

afterAll(remove);

describe('replicas of one process', () => {
  it('with common statistics learn what one network learns, whatever their number', async () => {
    const losses: number[] = [];
    for (const [project, devices] of [
      ['one', 'cpu'],
      ['two', 'cpu:2'],
      ['three', 'cpu:3'],
    ] as const) {
      const outcome = await run(
        ...trainArgs(project, '--devices', devices, '--sync-batch-norm', '--epochs', '1', '--no-flip'),
      );
      expect(outcome.status, outcome.stderr).toBe(0);
      losses.push(Number(/loss=([\d.]+)/.exec(figures(project)[0] ?? '')?.[1]));
    }
    expect(losses[1]).toBeCloseTo(losses[0] as number, 2);
    expect(losses[2]).toBeCloseTo(losses[0] as number, 2);
  });

  it('stopped in an epoch go on where they were, also with another number of them', async () => {
    const whole = await run(...trainArgs('whole', '--devices', 'cpu:2', '--epochs', '40'));
    expect(whole.status, whole.stderr).toBe(0);
    const running = start(trainArgs('broken', '--devices', 'cpu:2', '--epochs', '40'));
    await until(() => figures('broken').length > 1, running);
    running.child.kill('SIGTERM');
    expect((await running.outcome).status).toBe(143);
    const rest = await run(...trainArgs('broken', '--devices', 'cpu:2'));
    expect(rest.status, rest.stderr).toBe(0);
    expect(await finalTensors(path('runs'), 'broken')).toEqual(await finalTensors(path('runs'), 'whole'));
    const more = await run(...trainArgs('broken', '--devices', 'cpu:3', '--epochs', '41'));
    expect(more.status, more.stderr).toBe(0);
    expect(figures('broken')).toHaveLength(41);
  });

  it.each([
    [['--devices', 'gpu'], 2, "'gpu' is none"],
    [['--devices', 'cpu:5'], 2, '10 and 15 do'],
    [['--devices', 'cpu:24'], 2, '24 does'],
  ])('%j is refused', async (more, status, text) => {
    const outcome = await run(...trainArgs('refused', ...more));
    expect(outcome).toMatchObject({ status, stderr: expect.stringContaining(text) });
    expect(readdirSync(path('runs'))).not.toContain('refused');
  });
});

describe.skipIf(mpis.length > 0)('ranks of MPI', () => {
  it.skip('are not tested: neither mpirun.openmpi nor mpirun.mpich is here', () => {});
});

describe.each(mpis)('ranks of $name', (mpi) => {
  const named = (name: string): string => `${name}-${mpi.name.replace(' ', '')}`;

  it('give the very numbers of as many replicas in one process, and write them once', async () => {
    const args = ['--epochs', '2', '--sync-batch-norm'];
    const together = await run(...trainArgs(named('threads'), '--devices', 'cpu:2', ...args));
    expect(together.status, together.stderr).toBe(0);
    const outcome = await mpi.start(2, trainArgs(named('ranks'), ...args)).outcome;
    expect(outcome.status, outcome.stderr).toBe(0);
    expect(figures(named('ranks'))).toEqual(figures(named('threads')));
    expect(await finalTensors(path('runs'), named('ranks'))).toEqual(
      await finalTensors(path('runs'), named('threads')),
    );
    expect(outcome.stdout.match(/trained 2 epochs/g)).toHaveLength(1);
    expect(outcome.stderr.match(/start: /g)).toHaveLength(1);
  });

  it('of two replicas each give the same numbers every time', async () => {
    for (const project of [named('first'), named('second')]) {
      const args = trainArgs(
        project,
        '--devices',
        'cpu:2',
        '--epochs',
        '1',
        '--mistakes',
        '2',
        '--tensorboard',
      );
      const outcome = await mpi.start(2, args).outcome;
      expect(outcome.status, outcome.stderr).toBe(0);
    }
    expect(await finalTensors(path('runs'), named('second'))).toEqual(
      await finalTensors(path('runs'), named('first')),
    );
  });

  it('may add their gradients up beside the backward pass', async () => {
    const args = ['--epochs', '1', '--sync-batch-norm', '--devices', 'cpu:2'];
    for (const overlap of ['off', 'on']) {
      const outcome = await mpi.start(2, trainArgs(named(overlap), ...args, '--overlap', overlap)).outcome;
      expect(outcome.status, outcome.stderr).toBe(0);
    }
    // the sum of two is the same in either order
    expect(await finalTensors(path('runs'), named('on'))).toEqual(
      await finalTensors(path('runs'), named('off')),
    );
    for (const project of [named('four'), named('again')]) {
      const outcome = await mpi.start(4, trainArgs(project, '--epochs', '1', '--overlap', 'on')).outcome;
      expect(outcome.status, outcome.stderr).toBe(0);
    }
    expect(await finalTensors(path('runs'), named('again'))).toEqual(
      await finalTensors(path('runs'), named('four')),
    );
  });

  it('end within seconds when one is killed, and go on with another number of them', async () => {
    const project = named('killed');
    const running = mpi.start(2, trainArgs(project, '--epochs', '200', '--checkpoint-interval', '2steps'));
    await until(() => /saved.*step-000002/.test(logOf(project)), running);
    const ranks = ranksOf(project);
    expect(ranks).toHaveLength(2);
    process.kill(ranks[1] as number, 'SIGKILL');
    const ended = await Promise.race([running.outcome, sleep(10_000)]);
    expect(ended).toMatchObject({ status: expect.any(Number) });
    expect(ended?.status).not.toBe(0);
    expect(ranksOf(project)).toEqual([]);
    expect(await damagedCheckpoints(path('runs'), project)).toEqual([]);
    // the signal may have come after an epoch or two
    const next = figures(project).length + 1;
    const rest = await mpi.start(3, trainArgs(project, '--epochs', String(next))).outcome;
    expect(rest.status, rest.stderr).toBe(0);
    expect(logOf(project)).toContain('resume from');
    expect(figures(project).at(-1)).toMatch(new RegExp(`^epoch=${next},`));
  });

  it('name once the pictures that any of them could not use', async () => {
    const project = named('rejected');
    const folder = path(project);
    cpSync(path('data'), folder, { recursive: true });
    const { train, val } = await readDataset(folder);
    // spread over the batches, so that each rank meets some
    const spread = [train, val].flatMap((samples) => samples.filter((_, index) => index % 5 === 0));
    const broken = spread.map(({ file }) => file).sort();
    for (const file of broken) truncateSync(join(folder, file), 300);
    const outcome = await mpi.start(2, [...trainArgs(project, '--epochs', '2'), '--data', folder]).outcome;
    expect(outcome.status, outcome.stderr).toBe(0);
    for (const text of [logOf(project), outcome.stderr]) {
      expect([...text.matchAll(/rejected (\S+):/g)].map(([, file]) => file).sort()).toEqual(broken);
    }
    expect(outcome.stdout).toContain(`${broken.length} pictures, named in`);
  });

  it('all stop and save when one is asked to', async () => {
    const project = named('stopped');
    const running = mpi.start(2, trainArgs(project, '--epochs', '500'));
    await until(() => figures(project).length > 0, running);
    process.kill(ranksOf(project)[1] as number, 'SIGTERM');
    const outcome = await running.outcome;
    expect(outcome.stdout).toContain('goes on from there');
    expect(logOf(project)).toMatch(/stopped after epoch/);
    expect(await damagedCheckpoints(path('runs'), project)).toEqual([]);
  });

  it('that differ are refused, with what differs', async () => {
    const outcome = await mpi.startEach([
      trainArgs(named('differing')),
      trainArgs(named('differing'), '--lr', '0.5'),
    ]).outcome;
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('learningRate is 0.5 there and 0.01 at rank 0');
    expect(readdirSync(path('runs'))).not.toContain(named('differing'));
  });

  it('share the pictures of a test out, and come to what one process comes to', async () => {
    const [project, folder] = [named('tested'), path(named('report'))];
    const trained = await run(...trainArgs(project, '--epochs', '1'));
    expect(trained.status, trained.stderr).toBe(0);
    const args = ['test', '--project', project, '--run-dir', path('runs'), '--report', folder, '--json'];
    // what the pictures came to; a mean of two means is within rounding of one
    const outcomeOf = ({ status, stdout, stderr }: Outcome): object => {
      expect(status, stderr).toBe(0);
      const { seconds, loss, ...rest } = JSON.parse(stdout);
      return { ...rest, loss: Number(loss.toFixed(5)) };
    };
    const mistakes = (): string[] => {
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
      return report.worstMistakes.map(({ file }: { file: string }) => file);
    };
    const alone = outcomeOf(await run(...args));
    const ofOne = mistakes();
    rmSync(folder, { recursive: true });
    expect(outcomeOf(await mpi.start(2, args).outcome)).toEqual(alone);
    expect(alone).toMatchObject({ images: expect.any(Number), top1: expect.any(Number) });
    expect(mistakes()).toEqual(ofOne);
    const nowhere = await mpi.start(2, ['test', '--project', 'nowhere', '--run-dir', path('runs')]).outcome;
    expect(nowhere.status).not.toBe(0);
    expect(nowhere.stderr.match(/error: rank \d: /g)).toEqual(['error: rank 0: ']);
  });

  it('leave other commands to the first', async () => {
    const [shared, alone] = [
      await mpi.start(2, ['summary', 'resnet26']).outcome,
      await run('summary', 'resnet26'),
    ];
    expect(shared).toEqual(alone);
    expect(alone.stdout).toContain('3,765,056');
  });

  it('train and test one after the other in one program', async () => {
    const [project, program] = [named('program'), path(`${named('program')}.mjs`)];
    const settings = {
      ...{ data: path('data'), project, runDir: path('runs'), crop: 32, batchSize: 12 },
      ...{ workers: 1, threads: 1, model: { name: 'resnet', stages: [[16, 1]] } },
    };
    writeFileSync(
      program,
      `import { evaluate, train } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const settings = ${JSON.stringify(settings)};
      await train({ ...settings, epochs: 1 });
      const { top1, images } = await evaluate({ project: settings.project, runDir: settings.runDir });
      const { history } = await train({ ...settings, epochs: 2 });
      console.log(JSON.stringify({ top1, images, epochs: history.length }));`,
    );
    const { status, stdout, stderr } = await mpi.startProgram(2, program).outcome;
    expect(status, stderr).toBe(0);
    const [first, second, ...rest] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({ images: 24, epochs: 2 });
    expect(second).toEqual(first);
    expect(rest).toEqual([]);
  });

  it('say once what is wrong for all', async () => {
    const outcome = await mpi.start(2, trainArgs(named('nowhere'), '--data', path('nowhere'))).outcome;
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr.match(/error: rank \d: there is no folder/g)).toHaveLength(1);
  });

  it('end all when the pictures of one are gone', async () => {
    const project = named('gone');
    const outcome = await mpi.startEach([
      trainArgs(project, '--epochs', '2'),
      ['train', ...trainArgs(project, '--epochs', '2').slice(1), '--data', path('nowhere')],
    ]).outcome;
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toContain('error: rank 1: there is no folder');
  });
});
