import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess } from '../data/preprocess/preprocess.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import type { TrainEvent } from './events.js';
import { parseSchedule } from './schedules/index.js';
import { type TrainOptions, type TrainResult, train } from './train.js';

let root: string;
const at = (...parts: string[]): string => join(root, ...parts);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'resnode-stepped-'));
  for (const [label, name] of ['aa', 'bb', 'cc'].entries()) {
    mkdirSync(at('pictures', name), { recursive: true });
    for (let number = 0; number < 40; number++) {
      const pixels = Buffer.alloc(64 * 64 * 3);
      for (let index = 0; index < pixels.length; index++) {
        pixels[index] = 60 * label + ((index * 7919 + number * 104_729) % 90);
      }
      const picture = sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } });
      await picture.png().toFile(at('pictures', name, `${number}.png`));
    }
  }
  await preprocess({ pictures: at('pictures'), out: at('data'), size: 64, valSplit: 0.2 });
});
afterAll(() => rmSync(root, { recursive: true }));

/** 96 pictures: 12 batches in an epoch, which takes several times what lies between two reports of progress. */
const settings = (project: string, schedule: string): TrainOptions => ({
  ...{
    project,
    data: at('data'),
    runDir: at('runs'),
    model: {
      name: 'resnet',
      stages: [
        [128, 2],
        [256, 2],
      ],
    },
  },
  ...{ crop: 64, batchSize: 8, epochs: 3, learningRate: 0.05, seed: 3, threads: 1, workers: 1 },
  schedule: parseSchedule(schedule),
});

async function last({ checkpoints }: TrainResult): Promise<Checkpoint> {
  return readCheckpoint(checkpoints.last ?? '');
}

function bytesOf({ tensors }: Checkpoint): Map<string, string> {
  return new Map([...tensors].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString('base64')]));
}

/** Trains to the end, stopped at most `most` times by the first progress that a process reports. */
async function inPieces(
  options: TrainOptions,
  most: number,
): Promise<{ result: TrainResult; within: number }> {
  let within = 0;
  for (let attempt = 0; ; attempt++) {
    const abort = new AbortController();
    const onProgress = ({ kind }: TrainEvent): void => {
      if (kind === 'step' && attempt < most) abort.abort();
    };
    const result = await train({ ...options, signal: abort.signal, onProgress });
    if (result.status === 'finished') return { result, within };
    if (result.step > 0) within++;
  }
}

describe('a schedule by steps', () => {
  it.each(['oneCycle,maxLr=0.1', 'plateau,patience=0,warmup=1:0.1:step'])(
    'gives the same bytes when it is stopped within an epoch: %s',
    async (schedule) => {
      const project = schedule.split(/\W/)[0] ?? '';
      const whole = await train(settings(`${project}-whole`, schedule));
      const { result, within } = await inPieces(settings(`${project}-pieces`, schedule), 4);
      expect(within).toBeGreaterThan(0);
      const [expected, actual] = [await last(whole), await last(result)];
      expect(bytesOf(actual)).toEqual(bytesOf(expected));
      expect(actual.info.schedule).toEqual(expected.info.schedule);
      const rates = ({ history }: TrainResult): number[] => history.map(({ learningRate }) => learningRate);
      expect(rates(result)).toEqual(rates(whole));
    },
  );

  it('gives the same bytes as the same one by epochs', async () => {
    const [epochs, steps] = [
      await train(settings('by-epochs', 'step,stepSize=1,gamma=0.5')),
      await train(settings('by-steps', 'step,by=step,stepSize=12,gamma=0.5')),
    ];
    expect(bytesOf(await last(steps))).toEqual(bytesOf(await last(epochs)));
  });

  it('shows the rate of the batch at which it is', async () => {
    const rates: number[] = [];
    await train({
      ...settings('shown', 'linear,by=step,startFactor=0.1,totalIters=36'),
      onProgress: (event) => void (event.kind === 'step' && rates.push(event.learningRate)),
    });
    expect(rates.length).toBeGreaterThan(0);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    for (const rate of rates) expect(rate > 0.005 - 1e-9 && rate <= 0.05).toBe(true);
  });
});
