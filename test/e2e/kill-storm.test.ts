import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damagedCheckpoints, finalTensors, run, scratch, start, writePictures } from './tool.js';

/**
 * Trainings that are interrupted at random moments, again and again. `RESNODE_STORM=20` makes it 20 interruptions
 * of each kind; `RESNODE_STORM_SEED` repeats the moments of an earlier storm.
 */
const force = Number(process.env.RESNODE_STORM ?? 2);
const seed = Number(process.env.RESNODE_STORM_SEED ?? Math.floor(Math.random() * 1e9));
const minutes = (count: number): number => count * 60_000;

const { path, remove } = scratch();
const runs = path('runs');

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function random(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Variant {
  readonly name: string;
  readonly signals: readonly NodeJS.Signals[];
  /** Interruptions in all. */
  readonly interruptions: number;
  readonly epochs: number;
  /** Longest time from the first progress of a process to its interruption, in milliseconds. */
  readonly spread: number;
  readonly data: string;
  readonly flags: readonly string[];
}

const little = ['--stages', '32x1,64x1', '--crop', '32'];
const variants: Variant[] = [
  {
    name: 'kills and signals, sgd',
    signals: ['SIGKILL', 'SIGTERM'],
    interruptions: 2 * force,
    epochs: 20 * force,
    spread: 300,
    data: path('data'),
    flags: [...little, '--checkpoint-interval', '5steps', '--keep-last', '2'],
  },
  {
    name: 'signals only, adam and cosine',
    signals: ['SIGTERM'],
    interruptions: force,
    epochs: 10 * force,
    spread: 300,
    data: path('data'),
    flags: [...little, '--optimizer', 'adam', '--schedule', 'cosine,tMax=5', '--checkpoint-interval', '3'],
  },
  {
    name: 'signals only, dropout',
    signals: ['SIGTERM'],
    interruptions: Math.ceil(force / 3),
    epochs: 1 + 2 * Math.ceil(force / 3),
    spread: 1500,
    data: path('larger data'),
    flags: ['--model', 'alexnet', '--crop', '67', '--lr', '0.001', '--keep-last', '1'],
  },
];

const trainArgs = ({ data, epochs, flags }: Variant, project: string, workers: number): string[] => [
  ...['train', '--data', data, '--project', project, '--run-dir', runs, '--epochs', String(epochs)],
  ...['--batch-size', '8', '--threads', '1', '--workers', String(workers), ...flags],
];

const logOf = (project: string): string => {
  const file = path('runs', project, 'output.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/** What was learned in each epoch, as the log has it; an epoch that a kill lost is learned again, to the same. */
const epochsOf = (project: string): string[] => [
  ...new Set([...logOf(project).matchAll(/epoch=\d+, loss=.*?(?= \()/g)].map(([line]) => line)),
];

/** Signs of progress: an epoch done, a checkpoint written. */
const progressOf = (project: string): number => [...logOf(project).matchAll(/ (epoch=|saved )/g)].length;

/** Starts a training and interrupts it at a random moment. @returns what became of it */
async function interrupt(variant: Variant, attempt: number, dice: () => number): Promise<'hit' | 'over'> {
  const project = `storm ${variant.name}`;
  const signal = variant.signals[attempt % variant.signals.length] ?? 'SIGTERM';
  const before = progressOf(project);
  // other numbers of loader threads on the way must change nothing
  const running = start(trainArgs(variant, project, 1 + Math.floor(dice() * 3)));
  let over = false;
  void running.outcome.then(() => {
    over = true;
  });
  // one in five falls into the start, the others into training, validating and saving
  if (attempt > 1 && dice() < 0.2) await sleep(dice() * 1500);
  else {
    while (!over && progressOf(project) === before) await sleep(2);
    await sleep(dice() * variant.spread);
  }
  running.child.kill(signal);
  const { status, stderr } = await running.outcome;
  // null: killed, or asked to stop before the tool listened
  expect([0, 143, null], stderr).toContain(status);
  expect(await damagedCheckpoints(runs, project)).toEqual([]);
  return status === 0 ? 'over' : 'hit';
}

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog', 'emu'], 40);
  await writePictures(path('larger pictures'), ['cat', 'dog'], 24);
  for (const [pictures, data, size] of [
    ['pictures', 'data', '40'],
    ['larger pictures', 'larger data', '68'],
  ] as const) {
    const made = await run('preprocess', path(pictures), '--out', path(data), '--size', size);
    expect(made.status, made.stderr).toBe(0);
  }
}, minutes(3));
afterAll(remove);

describe(`a storm of seed ${seed}`, () => {
  it.each(variants)(
    '$name: never a file that does not load, and at last the same bytes',
    async (variant) => {
      const calm = await run(...trainArgs(variant, `calm ${variant.name}`, 1));
      expect(calm.status, calm.stderr).toBe(0);
      const dice = random(seed);
      let hits = 0;
      for (let attempt = 0; attempt < variant.interruptions; attempt++) {
        if ((await interrupt(variant, attempt, dice)) === 'over') break;
        hits += 1;
      }
      expect(hits).toBeGreaterThan(0);
      const last = await run(...trainArgs(variant, `storm ${variant.name}`, 2));
      expect(last.status, last.stderr).toBe(0);
      const resumes = [...logOf(`storm ${variant.name}`).matchAll(/resume from .*epoch \d+, step (\d+)\)/g)];
      const within = resumes.filter(([, step]) => Number(step) > 0).length;
      if (process.env.RESNODE_STORM) {
        process.stderr.write(`${variant.name}: ${hits} interruptions, ${within} resumes in mid-epoch\n`);
      }
      expect(resumes.length).toBeGreaterThan(0);
      // a few may all fall between two epochs
      if (hits >= 5) expect(within).toBeGreaterThan(0);
      expect(await finalTensors(runs, `storm ${variant.name}`)).toEqual(
        await finalTensors(runs, `calm ${variant.name}`),
      );
      expect(epochsOf(`storm ${variant.name}`)).toEqual(epochsOf(`calm ${variant.name}`));
    },
    minutes(2 + force),
  );
});
