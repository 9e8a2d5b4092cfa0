import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess } from '../../data/preprocess/preprocess.js';
import { Normalize, Resize } from '../../data/transforms/index.js';
import { hasTorch } from '../../engines/torch/testing/available.js';
import type { TrainEvent } from '../events.js';
import { train } from '../train.js';

describe.skipIf(!hasTorch)('fp16 (skipped where there is no LibTorch, see scripts/libtorch.mjs)', () => {
  let root: string;
  const at = (...parts: string[]): string => join(root, ...parts);

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'resnode-overflow-'));
    for (const name of ['cat', 'dog']) {
      mkdirSync(at('pictures', name), { recursive: true });
      for (let number = 0; number < 30; number++) {
        const pixels = Buffer.from(
          Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * (number + 7)) % 251),
        );
        const raw = { width: 16, height: 16, channels: 3 } as const;
        await sharp(pixels, { raw })
          .png()
          .toFile(at('pictures', name, `${number}.png`));
      }
    }
    await preprocess({ pictures: at('pictures'), out: at('data'), size: 16, valSplit: 0.1 });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('whose every step overflows ends in the midst of the epoch with a hint, and logs what it skipped', async () => {
    // no number of these pictures is finite in fp16
    const normalize = Normalize({ mean: [0, 0, 0], std: [1e-9, 1e-9, 1e-9] });
    const list = [Resize({ height: 16, width: 16 }), normalize];
    const events: TrainEvent[] = [];
    const run = train({
      ...{ project: 'overflow', data: at('data'), runDir: at('runs'), threads: 1, workers: 1 },
      ...{ engine: 'torch', devices: 'cpu', precision: 'fp16', batchSize: 1, epochs: 1 },
      ...{ model: { family: 'resnet', stages: [[16, 1]] }, transforms: { train: list, val: list } },
      onProgress: (event) => void events.push(event),
    });
    await expect(run).rejects.toMatchObject({
      message: 'the gradient was infinite or NaN in 40 steps in a row, at any loss scale',
      hint: expect.stringContaining('--precision bf16 or fp32'),
    });
    expect(events.filter(({ kind }) => kind === 'skipped')).toEqual([
      { kind: 'skipped', steps: 40, total: 40, scale: 2 ** -24 },
    ]);
    const log = readFileSync(at('runs', 'overflow', 'output.log'), 'utf8');
    expect(log).toMatch(/ skipped 40 steps \(40 in all\) whose gradient was infinite: loss scale 5\.96/);
    expect(log).toMatch(/ error: the gradient was infinite or NaN in 40 steps in a row/);
  });
});
