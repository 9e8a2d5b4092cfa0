import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import jpegTurbo from '@julusian/jpeg-turbo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sample } from '../../sample.js';
import { Picture } from '../../transforms/picture.js';
import { BatchReader } from '../batch-reader.js';
import { Loader } from '../loader.js';
import { createTables } from './cache-share.js';
import { type CacheOptions, openCache } from './open-cache.js';
import { PictureCache } from './picture-cache.js';

const { compressSync, FORMAT_RGB } = jpegTurbo;
const size = { height: 16, width: 16 };
const count = 13;

let folder: string;
let samples: { train: Sample[]; val: Sample[] };
let bytesOfAll: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnode-cache-'));
  samples = { train: [], val: [] };
  bytesOfAll = 0;
  for (const split of ['train', 'val'] as const) {
    await mkdir(join(folder, split));
    for (let number = 0; number < count; number++) {
      const [height, width] = [18 + (number % 5), 20 + (number % 3)];
      const pixels = Buffer.from(
        Array.from({ length: 3 * height * width }, (_, at) => (at * 7 + number * 40) % 256),
      );
      bytesOfAll += pixels.length;
      const file = `${split}/${number}.jpg`;
      await writeFile(
        join(folder, file),
        compressSync(pixels, { format: FORMAT_RGB, height, width, quality: 90 }),
      );
      samples[split].push({ file, label: number });
    }
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Epoch {
  readonly images: Float32Array;
  readonly labels: readonly number[];
}

class Run {
  readonly loader: Loader;
  readonly #reader: BatchReader;

  constructor(loader: Loader) {
    this.loader = loader;
    this.#reader = new BatchReader(loader.ring);
  }

  static async start(cache?: CacheOptions, onWarning?: (message: string) => void): Promise<Run> {
    const options = { folder, samples, mean: [1, 2, 3], std: [1, 1, 1], ...size, batchSize: count } as const;
    return new Run(await Loader.start({ ...options, seed: 3, workers: 2, cache, onWarning }));
  }

  /** Both splits of an epoch. */
  epoch(epoch: number): Epoch {
    this.loader.enqueue({ split: 'train', epoch });
    this.loader.enqueue({ split: 'val', epoch });
    const [train, val] = [this.#take(), this.#take()];
    return {
      images: Float32Array.from([...train.images, ...val.images]),
      labels: [...train.labels, ...val.labels],
    };
  }

  #take(): Epoch {
    const batch = this.#reader.take();
    if (!batch) throw new Error('stopped');
    const kept = { images: batch.images.slice(), labels: [...batch.labels] };
    this.#reader.release(batch);
    return kept;
  }

  async all(): Promise<Epoch[]> {
    const epochs = [0, 1, 2].map((epoch) => this.epoch(epoch));
    await this.loader.close();
    return epochs;
  }
}

/** From here on every picture that is read from its file shows as one that cannot be used. */
async function spoilFiles(): Promise<void> {
  for (const { file } of [...samples.train, ...samples.val]) await writeFile(join(folder, file), 'spoilt');
}

const file = (): string => join(folder, 'cache', 'decoded.bin');
const kinds = ['ram', 'disk'] as const;
const cacheOf = (kind: 'ram' | 'disk', bytes = 1e6, identity = 'a'): CacheOptions =>
  kind === 'ram' ? { kind, bytes } : { kind, bytes, identity, path: file() };

describe.each(kinds)('a cache in %s', (kind) => {
  it('gives the same bytes, from the second epoch on without the files', async () => {
    const without = await (await Run.start()).all();
    const run = await Run.start(cacheOf(kind));
    const first = run.epoch(0);
    await spoilFiles();
    expect([first, run.epoch(1), run.epoch(2)]).toEqual(without);
    expect(without[0]).not.toEqual(without[1]);
    await run.loader.close();
  });

  it('keeps the same pictures for good when not all fit', async () => {
    const run = await Run.start(cacheOf(kind, Math.floor(bytesOfAll / 2)));
    const before = run.epoch(0);
    expect(before.labels).not.toContain(-1);
    await spoilFiles();
    const there = ({ labels }: Epoch): number => labels.filter((label) => label >= 0).length;
    const epochs = [1, 2, 3].map((epoch) => run.epoch(epoch));
    await run.loader.close();
    const of = (epoch: Epoch): number[] => epoch.labels.slice(count).filter((label) => label >= 0);
    for (const epoch of epochs) expect(of(epoch)).toEqual(of(epochs[0] as Epoch));
    expect(there(epochs[0] as Epoch)).toBeGreaterThan(count - 4);
    expect(there(epochs[0] as Epoch)).toBeLessThanOrEqual(count);
    expect(epochs.map(there)).toEqual(epochs.map(() => there(epochs[0] as Epoch)));
  });
});

describe('a cache on a disk', () => {
  it('serves the next process, unless it is of other pictures', async () => {
    const without = await (await Run.start(cacheOf('disk'))).all();
    const files = await Promise.all(samples.train.map((each) => readFile(join(folder, each.file))));
    await spoilFiles();
    expect(await (await Run.start(cacheOf('disk'))).all()).toEqual(without);
    const other = await (await Run.start(cacheOf('disk', 1e6, 'b'))).all();
    expect(new Set(other[0]?.labels)).toEqual(new Set([-1]));
    await Promise.all(samples.train.map((each, at) => writeFile(join(folder, each.file), files[at] ?? '')));
    const again = await (await Run.start(cacheOf('disk'))).all();
    expect(again[0]?.labels.slice(0, count)).toEqual(without[0]?.labels.slice(0, count));
  });

  it('does not believe what is damaged or cut off', async () => {
    const without = await (await Run.start(cacheOf('disk'))).all();
    const { size: whole } = await stat(file());
    const handle = await open(file(), 'r+');
    // pixels, a line of the table, and the end
    await handle.write(Buffer.from([1, 2, 3, 4]), 0, 4, 4096 * 2 + 50);
    await handle.write(Buffer.alloc(24, 0x41), 0, 24, 4096 + 24 * 5);
    await handle.close();
    await truncate(file(), whole - 700);
    expect(await (await Run.start(cacheOf('disk'))).all()).toEqual(without);
    await writeFile(file(), 'no cache at all');
    expect(await (await Run.start(cacheOf('disk'))).all()).toEqual(without);
  });

  it('is left out, with a warning, where it cannot be made', async () => {
    const warnings: string[] = [];
    await writeFile(join(folder, 'cache'), 'a file');
    const run = await Run.start(cacheOf('disk'), (message) => warnings.push(message));
    expect(await run.all()).toEqual(await (await Run.start()).all());
    expect(warnings).toEqual([expect.stringMatching(/^decoded pictures are not kept: /)]);
  });

  it.skipIf(!existsSync('/dev/full'))('keeps no more when the disk is full, and says so once', () => {
    const share = {
      ...createTables(3),
      limit: 1e6,
      place: { kind: 'disk', path: '/dev/full', table: 0 },
    } as const;
    const said: string[] = [];
    const caches = [1, 2].map(() => new PictureCache(share, (message) => said.push(message)));
    const picture = new Picture();
    picture.load(4, 5).fill(7);
    for (const cache of caches) for (const index of [0, 1]) cache.keep(index, picture);
    expect(said).toEqual([expect.stringContaining('ENOSPC')]);
    expect(caches[0]?.read(0, picture)).toBe(false);
  });
});

it('takes at most half of the memory that is free', async () => {
  const warnings: string[] = [];
  const share = await openCache({ kind: 'ram', bytes: 2 ** 52 }, 5, (message) => warnings.push(message));
  expect(warnings).toEqual([
    expect.stringMatching(/at most [\d.]+ GB, half of the memory that is free, and not 4500000 GB$/),
  ]);
  expect(share?.limit).toBeGreaterThan(0);
  expect(share?.limit).toBeLessThan(totalmem());
});
