import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preprocess } from '../../dist/data/preprocess/preprocess.js';
import { Competitor, median } from '../competitor.js';
import { pictureFolder } from './pictures.js';
import type { BenchOptions, Table } from './suite.js';

const size = 128;

/** Decoding, resizing and encoding whole pictures, one worker a side. */
export async function preprocessSuite(options: BenchOptions): Promise<Table> {
  const pictures = await pictureFolder(options.data);
  const count = readdirSync(pictures, { recursive: true }).filter((file) =>
    String(file).endsWith('.jpg'),
  ).length;
  const out = join(tmpdir(), `resnode-bench-${process.pid}`);
  const python = options.torch
    ? await Competitor.start({
        name: 'OpenCV',
        command: options.torch,
        arguments: [
          'bench/pytorch/pictures.py',
          '--mode',
          'prepare',
          '--pictures',
          pictures,
          '--size',
          String(size),
        ],
      })
    : undefined;
  const ours: number[] = [];
  for (let round = 0; round < Math.min(3, options.rounds); round++) {
    const start = performance.now();
    await preprocess({ pictures, out, size, workers: 1 });
    ours.push((performance.now() - start) / 1e3 / count);
    rmSync(out, { recursive: true, force: true });
    await python?.run(Math.min(count, 1000));
  }
  await python?.quit();
  const row = (name: string, samples: readonly number[], version: string) => ({
    name,
    'pictures/s': Math.round(1 / median(samples)),
    'resnode is faster by': `${(median(samples) / median(ours)).toFixed(2)}x`,
    version,
  });
  return {
    title: `preprocess at ${size} px, one worker, ${count} pictures (ours with reading, splitting, statistics and writing)`,
    rows: [
      row('resnode preprocess', ours, 'sharp'),
      ...(python ? [row('OpenCV (decode, resize, encode)', python.samples, python.version)] : []),
    ],
  };
}
