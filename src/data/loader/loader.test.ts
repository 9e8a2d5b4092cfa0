import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import jpegTurbo from '@julusian/jpeg-turbo';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { permutation } from '../../random/permutation.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import { workerEntry } from '../../worker-entry.js';
import type { Sample } from '../sample.js';
import { type Batch, BatchReader } from './batch-reader.js';
import type { JobRequest } from './job.js';
import { Loader, type RejectedPicture } from './loader.js';
import type { LoaderOptions } from './options.js';

const { compressSync, decompressSync, FORMAT_RGB, SAMP_420 } = jpegTurbo;
const crop = { height: 20, width: 24 };
const mean = [120, 110, 100] as const;
const std = [60, 61, 62] as const;
const pixelsOfCrop = crop.height * crop.width;

let folder: string;
let samples: { train: Sample[]; val: Sample[] };
const open: Loader[] = [];

/** A JPEG of waves in each channel, different for every number. */
function jpeg(number: number, height: number, width: number): Buffer {
  const pixels = Buffer.alloc(height * width * 3);
  for (let at = 0; at < pixels.length; at++) {
    const [row, column] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    pixels[at] = 128 + 100 * Math.sin(number + row / (2 + (at % 3)) + column / 5);
  }
  return compressSync(pixels, { format: FORMAT_RGB, height, width, subsampling: SAMP_420, quality: 90 });
}

async function writeSplit(split: 'train' | 'val', count: number): Promise<Sample[]> {
  await mkdir(join(folder, split), { recursive: true });
  const list: Sample[] = [];
  for (let i = 0; i < count; i++) {
    const file = `${split}/ünï ${i}.jpg`;
    await writeFile(join(folder, file), jpeg(i, 24 + (i % 5) * 3, 25 + (i % 7) * 4));
    list.push({ file, label: (i * 3) % 7 });
  }
  return list;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resnode-loader-'));
  samples = { train: await writeSplit('train', 43), val: await writeSplit('val', 19) };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

async function start(options: Partial<LoaderOptions> = {}): Promise<Loader> {
  const loader = await Loader.start({
    ...{ folder, samples, mean, std, ...crop, batchSize: 8, seed: 5, workers: 2, slots: 3 },
    ...options,
  });
  open.push(loader);
  return loader;
}

/** A batch whose pixels and labels are copied out of the shared memory. */
type Kept = Omit<Batch, 'number' | 'waitedMs' | 'first' | 'total'>;

function takeAll(loader: Loader, jobs: readonly JobRequest[], reader = new BatchReader(loader.ring)): Kept[] {
  const total = jobs.reduce((sum, job) => sum + loader.enqueue(job).batches, 0);
  return Array.from({ length: total }, () => takeOne(reader));
}

function takeOne(reader: BatchReader): Kept {
  const batch = reader.take();
  if (!batch) throw new Error('stopped');
  const { images, labels, count, job, index, last } = batch;
  const kept = { images: images.slice(), labels: labels.slice(), count, job, index, last };
  reader.release(batch);
  return kept;
}

/** A picture as plain code makes it: decode, cut, flip, normalise. */
async function expected(split: 'train' | 'val', sample: number, epoch: number): Promise<Float32Array> {
  const bytes = await readFile(join(folder, samples[split][sample]?.file ?? ''));
  const { data, width, height } = decompressSync(bytes, { format: FORMAT_RGB });
  let [top, left] = [Math.floor((height - crop.height) / 2), Math.floor((width - crop.width) / 2)];
  let flip = false;
  if (split === 'train') {
    const random = new RandomStream(5, randomPurpose.trainTransforms);
    random.seek(epoch, sample);
    top = random.below(height - crop.height + 1);
    left = random.below(width - crop.width + 1);
    flip = random.uniform() < 0.5;
  }
  const out = new Float32Array(3 * pixelsOfCrop);
  for (let at = 0; at < out.length; at++) {
    const channel = Math.floor(at / pixelsOfCrop);
    const [row, column] = [Math.floor((at % pixelsOfCrop) / crop.width), at % crop.width];
    const x = left + (flip ? crop.width - 1 - column : column);
    const value = data[((top + row) * width + x) * 3 + channel] ?? 0;
    out[at] = (value - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  }
  return out;
}

function picture(batch: Kept | undefined, position: number): Float32Array | undefined {
  return batch?.images.slice(position * 3 * pixelsOfCrop, (position + 1) * 3 * pixelsOfCrop);
}

/** Everything that a reader sees, compared bit by bit. */
function digest(batches: readonly Kept[]): unknown[] {
  return batches.map(({ images, labels, ...rest }) => ({
    ...rest,
    labels: [...labels],
    images: Buffer.from(images.buffer, images.byteOffset, images.byteLength).toString('base64'),
  }));
}

describe('what is loaded', () => {
  it('is what plain code makes of the pictures, in the order of the epoch', async () => {
    const batches = takeAll(await start(), [
      { split: 'train', epoch: 3 },
      { split: 'val', epoch: 3 },
    ]);
    expect(batches.map(({ job, index, count, last }) => [job, index, count, last])).toEqual([
      ...[0, 1, 2, 3, 4].map((index) => [0, index, 8, index === 4]),
      ...[0, 1, 2].map((index) => [1, index, index === 2 ? 3 : 8, index === 2]),
    ]);
    const order = permutation(43, 5, 3);
    for (let at = 0; at < 40; at++) {
      const sample = order[at] ?? -1;
      const batch = batches[Math.floor(at / 8)];
      expect(batch?.labels[at % 8]).toBe(samples.train[sample]?.label);
      expect(picture(batch, at % 8)).toEqual(await expected('train', sample, 3));
    }
    for (let at = 0; at < 19; at++) {
      const batch = batches[5 + Math.floor(at / 8)];
      expect(batch?.labels[at % 8]).toBe(samples.val[at]?.label);
      expect(picture(batch, at % 8)).toEqual(await expected('val', at, 3));
    }
    expect(batches[7]?.images.length).toBe(3 * 3 * pixelsOfCrop);
    expect(batches[7]?.labels.length).toBe(3);
  });

  it('does not depend on the number of threads and slots', async () => {
    const jobs: JobRequest[] = [
      { split: 'train', epoch: 0 },
      { split: 'val', epoch: 0 },
      { split: 'train', epoch: 1, dropLast: false },
    ];
    const base = digest(takeAll(await start({ workers: 1, slots: 1 }), jobs));
    expect(base.length).toBe(5 + 3 + 6);
    for (const [workers, slots] of [
      [1, 4],
      [2, 1],
      [2, 3],
      [3, 2],
    ] as const) {
      expect(digest(takeAll(await start({ workers, slots }), jobs))).toEqual(base);
    }
  });

  it('does not depend on threads that join later', async () => {
    const jobs: JobRequest[] = [
      { split: 'train', epoch: 0 },
      { split: 'val', epoch: 0 },
      { split: 'train', epoch: 1, dropLast: false },
    ];
    const base = digest(takeAll(await start({ workers: 1 }), jobs));
    const loader = await start({ workers: 1, slots: 2 });
    const reader = new BatchReader(loader.ring);
    const read = (count: number): Kept[] => Array.from({ length: count }, () => takeOne(reader));
    loader.enqueue(jobs[0] as JobRequest);
    loader.enqueue(jobs[1] as JobRequest);
    const found = read(3);
    loader.grow(3);
    expect(loader.workers).toBe(3);
    loader.enqueue(jobs[2] as JobRequest);
    found.push(...read(base.length - 5));
    // so that those that joined are seen to have a part in it
    await sleep(300);
    found.push(...read(2));
    expect(digest(found)).toEqual(base);
    loader.grow(1);
    expect(loader.workers).toBe(3);
    expect(loader.effort.pictures).toBe(5 * 8 + 19 + 43);
    expect(loader.effort.milliseconds).toBeGreaterThan(0);
    await loader.close();
    loader.grow(5);
    expect(loader.workers).toBe(3);
  });

  it('changes with the epoch and the seed, also in the transforms alone', async () => {
    const still = { split: 'train', shuffle: false } as const;
    const loader = await start();
    const [first, second] = takeAll(loader, [
      { ...still, epoch: 0, batches: 1 },
      { ...still, epoch: 1, batches: 1 },
    ]);
    const [other] = takeAll(await start({ seed: 6 }), [{ ...still, epoch: 0, batches: 1 }]);
    expect(second?.labels).toEqual(first?.labels);
    expect(second?.images).not.toEqual(first?.images);
    expect(other?.labels).toEqual(first?.labels);
    expect(other?.images).not.toEqual(first?.images);
  });

  it('goes on within an epoch as the whole epoch would', async () => {
    const loader = await start();
    const whole = takeAll(loader, [{ split: 'train', epoch: 2, dropLast: false }]);
    const reader = new BatchReader(loader.ring);
    const tail = takeAll(loader, [{ split: 'train', epoch: 2, dropLast: false, firstBatch: 3 }], reader);
    const middle = takeAll(loader, [{ split: 'train', epoch: 2, firstBatch: 1, batches: 2 }], reader);
    const without = (list: Kept[]): unknown =>
      digest(list.map((batch) => ({ ...batch, job: 0, last: false })));
    expect(without(tail)).toEqual(without(whole.slice(3)));
    expect(without(middle)).toEqual(without(whole.slice(1, 3)));
    expect(tail.map(({ last }) => last)).toEqual([false, false, true]);
    expect(middle.map(({ last }) => last)).toEqual([false, true]);
  });

  it('has batches of another size for val', async () => {
    const loader = await start({ valBatchSize: 16 });
    const train = loader.enqueue({ split: 'train', epoch: 0, dropLast: false });
    const val = loader.enqueue({ split: 'val', epoch: 0 });
    expect([train, val]).toEqual([
      { job: 0, batches: 6, images: 43 },
      { job: 1, batches: 2, images: 19 },
    ]);
    const reader = new BatchReader(loader.ring);
    const counts = Array.from({ length: 8 }, () => takeOne(reader).count);
    expect(counts).toEqual([8, 8, 8, 8, 8, 3, 16, 3]);
  });
});

describe('jobs', () => {
  it('can be queued while the threads wait for them', async () => {
    const loader = await start();
    const reader = new BatchReader(loader.ring);
    for (let epoch = 0; epoch < 3; epoch++) {
      const batches = takeAll(loader, [{ split: 'val', epoch }], reader);
      expect(batches.map(({ job, count }) => [job, count])).toEqual([8, 8, 3].map((count) => [epoch, count]));
      await sleep(20);
    }
  });

  it('are begun while the last batches of the one before are still in use', async () => {
    const loader = await start({ slots: 3 });
    const reader = new BatchReader(loader.ring);
    loader.enqueue({ split: 'train', epoch: 0, batches: 1 });
    loader.enqueue({ split: 'val', epoch: 0 });
    const held = reader.take();
    const next = reader.take();
    expect([held?.job, next?.job]).toEqual([0, 1]);
    if (!held || !next) return;
    const before = held.images.slice();
    // one slot is left, the others are held
    expect(reader.take()?.index).toBe(1);
    const stop = new Int32Array(new SharedArrayBuffer(4));
    stop[0] = 1;
    expect(reader.take({ stop })).toBeUndefined();
    expect(held.images.slice()).toEqual(before);
    reader.release(held);
    expect(reader.take()?.last).toBe(true);
    expect(() => reader.release(held)).toThrow(/not held/);
  });
});

describe('bad pictures', () => {
  it('are left out by label and colour, and named once', async () => {
    const good = jpeg(1, 40, 40);
    const files: Array<[name: string, bytes: Buffer | undefined, reason: RegExp]> = [
      ['missing', undefined, /missing/],
      ['empty', Buffer.alloc(0), /empty/],
      ['text', Buffer.from('not a picture at all'), /not a JPEG/],
      ['cut', good.subarray(0, good.length - 1), /cut off/],
      ['half', good.subarray(0, good.length >> 1), /cut off/],
      ['header', good.subarray(0, 30), /cut off/],
      ['zeros', Buffer.concat([good.subarray(0, 700), Buffer.alloc(good.length)]), /cut off/],
      ['patched', Buffer.concat([good.subarray(0, 700), Buffer.from([0xff, 0xd9])]), /damaged/],
      ['small', jpeg(2, 19, 24), /24 x 19 pixels, smaller than the crop of 24 x 20/],
      ['huge', withSize(good, 65_000, 65_000), /65000 x 65000 pixels/],
    ];
    const list: Sample[] = [];
    for (const [name, bytes] of files) {
      if (bytes) await writeFile(join(folder, 'train', `${name}.jpg`), bytes);
      list.push({ file: `train/${name}.jpg`, label: 1 });
      list.push(samples.train[list.length] as Sample);
    }
    await mkdir(join(folder, 'train', 'folder.jpg'), { recursive: true });
    list.push({ file: 'train/folder.jpg', label: 1 });
    const loader = await start({ samples: { train: list, val: list } });
    const events: RejectedPicture[] = [];
    loader.on('rejected', (rejected) => events.push(rejected));
    for (const split of ['train', 'val', 'train'] as const) {
      for (const batch of takeAll(loader, [{ split, epoch: 0, shuffle: false, dropLast: false }])) {
        for (let at = 0; at < batch.count; at++) {
          const sample = batch.index * 8 + at;
          const bad = sample % 2 === 0;
          expect(batch.labels[at]).toBe(bad ? -1 : list[sample]?.label);
          expect(picture(batch, at)?.every((value) => value === 0)).toBe(bad);
        }
      }
    }
    await loader.close();
    const reasons = new Map(events.map(({ file, reason }) => [file, reason]));
    for (const [name, , reason] of files) expect(reasons.get(`train/${name}.jpg`)).toMatch(reason);
    expect(reasons.get('train/folder.jpg')).toMatch(/cannot be read/);
    expect(events.length).toBe(files.length + 1);
    expect(loader.rejected).toEqual(events);
  });

  it('may be large: the buffers grow', async () => {
    const file = 'train/large.jpg';
    await writeFile(join(folder, file), jpeg(3, 1500, 1400));
    await writeFile(
      join(folder, 'train/trailing.jpg'),
      Buffer.concat([jpeg(4, 30, 30), Buffer.alloc(1 << 20)]),
    );
    const list = [file, 'train/trailing.jpg', file].map((name) => ({ file: name, label: 4 }));
    const loader = await start({ samples: { train: list, val: list }, batchSize: 3 });
    expect([...(takeAll(loader, [{ split: 'val', epoch: 0 }])[0]?.labels ?? [])]).toEqual([4, 4, 4]);
  });

  it('that break while training goes on are found in the next epoch', async () => {
    const file = 'val/breaks.jpg';
    await writeFile(join(folder, file), jpeg(3, 40, 40));
    const loader = await start({ samples: { train: samples.train, val: [{ file, label: 2 }] } });
    const job = { split: 'val', epoch: 0 } as const;
    expect(takeAll(loader, [job])[0]?.labels[0]).toBe(2);
    await truncate(join(folder, file), 400);
    expect(takeAll(loader, [job])[0]?.labels[0]).toBe(-1);
    await once(loader, 'rejected');
    expect(loader.rejected).toEqual([{ file, reason: 'the JPEG is cut off' }]);
  });

  it('are not blamed when the whole folder is gone', async () => {
    const moved = await mkdtemp(join(tmpdir(), 'resnode-moved-'));
    await writeFile(join(moved, 'a.jpg'), jpeg(1, 40, 40));
    const list = [{ file: 'a.jpg', label: 0 }];
    const loader = await start({ folder: moved, samples: { train: list, val: list }, batchSize: 1 });
    takeAll(loader, [{ split: 'val', epoch: 0 }]);
    const failed = once(loader, 'failed');
    await rename(moved, `${moved}-away`);
    expect(() => takeAll(loader, [{ split: 'val', epoch: 1 }])).toThrow(/folder .*resnode-moved.* no longer/);
    await rm(`${moved}-away`, { recursive: true });
    const [failure] = await failed;
    expect(failure.message).toMatch(/no longer there/);
    expect(() => loader.enqueue({ split: 'val', epoch: 2 })).toThrow(/no longer there/);
    expect(() => new BatchReader(loader.ring).take()).toThrow(/no longer there/);
  });
});

/** The JPEG with another size in its header. */
function withSize(bytes: Buffer, height: number, width: number): Buffer {
  const copy = Buffer.from(bytes);
  const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
  copy.writeUInt16BE(height, frame + 5);
  copy.writeUInt16BE(width, frame + 7);
  return copy;
}

describe('the end', () => {
  it('comes at once for threads that wait for a free slot', async () => {
    const loader = await start({ workers: 3, slots: 1 });
    const ring = loader.ring;
    loader.enqueue({ split: 'train', epoch: 0 });
    while (loader.effort.pictures < 8) await sleep(5);
    await sleep(30);
    await loader.close();
    await loader.close();
    const reader = new BatchReader(ring);
    // what was ready is still there
    expect(reader.take()?.count).toBe(8);
    expect(() => reader.take()).toThrow('the loader was closed');
    expect(() => loader.enqueue({ split: 'train', epoch: 1 })).toThrow('the loader was closed');
    expect(loader.rejected).toEqual([]);
  });

  it('comes at once for a reader that waits on another thread', async () => {
    const loader = await start();
    const waiting = readElsewhere(loader, undefined);
    await waiting.started;
    await sleep(30);
    await loader.close();
    expect(await waiting.result).toBe('threw: the loader was closed');
  });

  it('of a wait can be asked for by a flag', async () => {
    const loader = await start();
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const waiting = readElsewhere(loader, stop);
    await waiting.started;
    await sleep(30);
    Atomics.store(stop, 0, 1);
    expect(await waiting.result).toBe('stopped');
  });
});

/** Takes a batch in a thread of its own, where nothing was queued. */
function readElsewhere(
  loader: Loader,
  stop: Int32Array | undefined,
): { started: Promise<unknown>; result: Promise<string> } {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.reader).then(({ BatchReader }) => {
      const reader = new BatchReader(workerData.ring);
      parentPort.postMessage('started');
      try {
        parentPort.postMessage(reader.take({ stop: workerData.stop }) ? 'took one' : 'stopped');
      } catch (error) {
        parentPort.postMessage('threw: ' + error.message);
      }
    });`;
  const reader = workerEntry('data/loader/batch-reader.js').href;
  const worker = new Worker(code, { eval: true, workerData: { reader, ring: loader.ring, stop } });
  const messages: Array<(message: string) => void> = [];
  const next = (): Promise<string> => new Promise((resolve) => messages.push(resolve));
  const [started, result] = [next(), next()];
  worker.on('message', (message: string) => messages.shift()?.(message));
  return { started, result };
}
