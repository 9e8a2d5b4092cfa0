import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess } from '../data/preprocess/preprocess.js';
import { readCheckpoint } from './checkpoint.js';
import type { TrainEvent } from './events.js';
import { listCheckpoints } from './list-checkpoints.js';
import { type TrainOptions, type TrainResult, train } from './train.js';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

const settings = (project: string): TrainOptions => ({
  ...{ project, data: at('data'), runDir: at('runs'), model: { name: 'resnet', stages: [[32, 1]] } },
  ...{ crop: 32, batchSize: 8, epochs: 2, seed: 5, threads: 1, workers: 1 },
  ...{ optimizer: { kind: 'adam' }, schedule: { name: 'cosine', tMax: 3 } },
});

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'resnode-exact-'));
  for (const [index, label] of ['a', 'b'].entries()) {
    mkdirSync(at('pictures', label), { recursive: true });
    for (let number = 0; number < 32; number++) {
      const background = { r: 60 + index * 120, g: number * 6, b: 90 };
      const noise = { type: 'gaussian' as const, mean: 100, sigma: 40 };
      await sharp({ create: { width: 40, height: 36, channels: 3, background, noise } })
        .png()
        .toFile(at('pictures', label, `${number}.png`));
    }
  }
  // 48 pictures to train on: 6 steps an epoch
  await preprocess({ pictures: at('pictures'), out: at('data'), size: 36, valSplit: 0.25 });
}, 120_000);
afterAll(() => rmSync(root, { recursive: true }));

/** Every tensor of the last checkpoint, and the history without its times. */
async function outcome({ checkpoints, history }: TrainResult): Promise<unknown> {
  const { tensors, info } = await readCheckpoint(checkpoints.last ?? '');
  const bytes = [...tensors].map(([name, tensor]) => [name, Buffer.from(tensor.bytes).toString('base64')]);
  const figures = history.map(({ seconds, ...rest }) => rest);
  return { bytes, figures, best: info.best, schedule: info.schedule, globalStep: info.globalStep };
}

const placesOf = async (project: string): Promise<string[]> => {
  const { checkpoints } = await listCheckpoints({ runDir: at('runs'), project });
  return checkpoints.map(({ path }) => basename(path, '.safetensors'));
};

describe('checkpoints within an epoch', () => {
  const first = 'epoch-0000-step-000004';
  let whole: unknown;
  const events: TrainEvent[] = [];
  beforeAll(async () => {
    whole = await outcome(await train(settings('whole')));
    const onProgress = (event: TrainEvent): void => void events.push(event);
    const often = { checkpointInterval: '4steps', keepLast: 99, onProgress };
    expect(await outcome(await train({ ...settings('steps'), ...often }))).toEqual(whole);
  }, 120_000);

  it('come after multiples of the steps, at the best epochs and at the end', async () => {
    const places = await placesOf('steps');
    expect(places[0]).toBe(first);
    expect(places.at(-1)).toBe('epoch-0002');
    const within = places.filter((name) => name.includes('step')).length;
    // the steps are 4 and 8; one is left out where the disk is still busy with the end of the epoch
    const leftOut = events.some((event) => event.kind === 'warning' && /left out/.test(event.message));
    expect(within).toBe(leftOut ? 1 : 2);
    const told = events.filter((event) => event.kind === 'checkpoint');
    expect(told.map(({ path }) => basename(path, '.safetensors')).sort()).toEqual(places);
    for (const { epoch, step, globalStep } of told) {
      expect(globalStep).toBe(6 * epoch + step);
      if (step > 0) expect(globalStep % 4).toBe(0);
    }
  });

  it('are told of when they can be loaded', async () => {
    const loaded: Array<Promise<unknown>> = [];
    const onProgress = (event: TrainEvent): void => {
      if (event.kind === 'checkpoint') loaded.push(readCheckpoint(event.path));
    };
    await train({ ...settings('loads'), checkpointInterval: '3steps', keepLast: 99, onProgress });
    expect((await Promise.all(loaded)).length).toBeGreaterThanOrEqual(3);
  });

  it('lead to the same bytes, gone on with in a fork, with another number of loader threads', async () => {
    const names = (await placesOf('steps')).filter((name) => name.includes('step'));
    for (const [index, name] of names.entries()) {
      const resume = at('runs', 'steps', 'checkpoints', `${name}.safetensors`);
      const { data, ...rest } = settings('steps');
      const result = await train({ ...rest, resume, fork: `fork ${index}`, workers: 2 + index });
      expect(result.run).toBe(at('runs', `fork ${index}`));
      expect(await outcome(result)).toEqual(whole);
    }
  });

  it('lead to the same bytes when the run goes back to them', async () => {
    const resume = at('runs', 'steps', 'checkpoints', `${first}.safetensors`);
    const warnings: string[] = [];
    const result = await train({
      ...{ project: 'steps', runDir: at('runs'), resume, checkpointInterval: 1 },
      onProgress: (event) => void (event.kind === 'warning' && warnings.push(event.message)),
    });
    expect(warnings).toEqual([expect.stringMatching(/later checkpoints were moved to .*replaced.1/)]);
    expect(await outcome(result)).toEqual(whole);
    expect(await placesOf('steps')).toContain('epoch-0002');
  });

  it('by minutes come within the epoch too, and change nothing', async () => {
    const result = await train({ ...settings('minutes'), checkpointInterval: '0.00001min', keepLast: 99 });
    expect(await outcome(result)).toEqual(whole);
    expect((await placesOf('minutes')).filter((name) => name.includes('step')).length).toBeGreaterThan(0);
  });

  it('are kept in the number that was asked for', async () => {
    const result = await train({ ...settings('few'), checkpointInterval: '1steps', keepLast: 2 });
    expect((await placesOf('few')).length).toBeLessThanOrEqual(3);
    const saved = JSON.parse(await readFile(join(result.run, 'config.json'), 'utf8'));
    expect(saved).toMatchObject({ checkpointInterval: '1steps', keepLast: 2 });
  });
});

it('refuses an interval that is none', async () => {
  const wrong = train({ ...settings('wrong'), checkpointInterval: '5 potatoes' });
  await expect(wrong).rejects.toThrow(/checkpoint interval cannot be "5 potatoes"/);
});
