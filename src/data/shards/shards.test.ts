import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readDataset } from '../dataset.js';
import { BatchReader } from '../loader/batch-reader.js';
import type { JobRequest } from '../loader/job.js';
import { Loader } from '../loader/loader.js';
import type { LoaderOptions } from '../loader/options.js';
import { preprocess } from '../preprocess/preprocess.js';
import { contents, type PictureFolder, pictureFolder } from '../preprocess/testing/pictures.js';
import { readPicture } from '../read-picture.js';
import { parseShardIndex, readShardIndex } from './shard-index.js';
import { planShards } from './shard-layout.js';

let folder: PictureFolder;
let shards: string;
let files: string;
beforeAll(async () => {
  folder = await pictureFolder();
  await folder.fill(4, 40);
  files = join(folder.root, 'files');
  shards = join(folder.root, 'shards');
  await preprocess({ pictures: folder.pictures, out: files, size: 24 });
  await preprocess({ pictures: folder.pictures, out: shards, size: 24, shards: '30kB' });
});
afterAll(() => folder.remove());

/** Entries of a tar as another reader sees them. */
async function entriesOf(path: string): Promise<Array<{ name: string; bytes: Buffer }>> {
  const entries: Array<{ name: string; bytes: Buffer }> = [];
  const tar = createReadStream(path).pipe(extract());
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.push({ name: entry.header.name, bytes: Buffer.concat(chunks) });
  }
  return entries;
}

const tarsOf = async (path: string): Promise<string[]> =>
  (await readdir(path)).filter((name) => name.endsWith('.tar')).sort();

describe('what preprocess writes', () => {
  test('pairs of KEY.jpg and KEY.cls, in the order of the tables, with the same pictures as files', async () => {
    const names = await tarsOf(shards);
    expect(names.slice(0, 2)).toEqual(['train-000000.tar', 'train-000001.tar']);
    expect(names).toContain('val-000000.tar');
    for (const split of ['train', 'val']) {
      const lines = ['image,class'];
      for (const name of names.filter((each) => each.startsWith(split))) {
        const entries = await entriesOf(join(shards, name));
        for (let at = 0; at < entries.length; at += 2) {
          const [jpeg, label] = [entries[at], entries[at + 1]];
          expect(label?.name).toBe(jpeg?.name.replace(/\.jpg$/, '.cls'));
          expect(jpeg?.bytes).toEqual(await readFile(join(files, split, jpeg?.name ?? '')));
          lines.push(`${jpeg?.name},${label?.bytes.toString()}`);
        }
      }
      expect(`${lines.join('\n')}\n`).toBe(await readFile(join(shards, `${split}.csv`), 'utf8'));
    }
  });

  test('tables and fingerprint are those of the dataset in files, dataset.json says the form', async () => {
    const [one, other] = [await contents(files), await contents(shards)];
    for (const name of ['train.csv', 'val.csv', 'categories.csv', 'rejected.csv', 'rgb_val.json']) {
      expect(other.get(name)).toBe(one.get(name));
    }
    const {
      form,
      shards: counts,
      ...rest
    } = JSON.parse(await readFile(join(shards, 'dataset.json'), 'utf8'));
    const { form: plain, ...same } = JSON.parse(await readFile(join(files, 'dataset.json'), 'utf8'));
    expect([form, plain]).toEqual(['shards', 'folders']);
    expect(rest).toEqual(same);
    const tars = await tarsOf(shards);
    expect(counts).toEqual({
      train: tars.filter((name) => name.startsWith('train')).length,
      val: tars.filter((name) => name.startsWith('val')).length,
      size: 30_000,
    });
    const [first, second] = [await readDataset(files), await readDataset(shards)];
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(second.train.map(({ label }) => label)).toEqual(first.train.map(({ label }) => label));
  });

  test('no shard is larger than asked for', async () => {
    for (const name of await tarsOf(shards)) {
      const { size } = await stat(join(shards, name));
      expect(size).toBeLessThanOrEqual(30_000);
      expect(size % 512).toBe(0);
    }
  });
});

test('shards share the samples out in order, as large as they may be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 }),
      fc.integer({ min: 1030, max: 1200 }),
      (sizes, size) => {
        const plans = planShards(sizes.length, (sample) => sizes[sample] ?? 0, size);
        let next = 0;
        for (const [at, { first, count, bytes }] of plans.entries()) {
          expect(first).toBe(next);
          next += count;
          const sum = sizes.slice(first, next).reduce((a, b) => a + b, 1024);
          expect(bytes).toBe(sum);
          if (count > 1) expect(bytes).toBeLessThanOrEqual(size);
          if (at < plans.length - 1) expect(bytes + (sizes[next] ?? 0)).toBeGreaterThan(size);
        }
        expect(next).toBe(sizes.length);
      },
    ),
  );
});

describe('readDataset and readPicture', () => {
  let copy: string;
  beforeEach(async () => {
    copy = await mkdtemp(join(tmpdir(), 'resnode-shards-'));
    for (const [name, hex] of await contents(shards))
      await writeFile(join(copy, name), Buffer.from(hex, 'hex'));
    return () => rm(copy, { recursive: true });
  });

  test('the pictures are where the samples say', async () => {
    const [one, other] = [await readDataset(files), await readDataset(copy)];
    for (const split of ['train', 'val'] as const) {
      expect(other[split].length).toBe(one[split].length);
      for (const [index, sample] of other[split].entries()) {
        expect(sample.file).toMatch(new RegExp(`^${split}-\\d{6}\\.tar/[0-9a-f]{32}\\.jpg$`));
        const plain = one[split][index] ?? { file: '', label: -1 };
        expect(await readPicture(copy, sample)).toEqual(await readPicture(files, plain));
      }
    }
  });

  test('a missing or damaged index is made anew from the headers, the same one', async () => {
    const before = await contents(copy);
    await rm(join(copy, 'train-000000.idx'));
    await truncate(join(copy, 'val-000000.idx'), 100);
    await writeFile(join(copy, 'train-000001.idx'), 'v1.2 1\njpg 512 zero x.jpg\n');
    await readDataset(copy);
    expect(await contents(copy)).toEqual(before);
  });

  test('without permission to write, the headers are read each time', async ({ skip }) => {
    if (process.getuid?.() === 0) return skip('root may write anywhere');
    await rm(join(copy, 'train-000000.idx'));
    await chmod(copy, 0o500);
    expect((await readDataset(copy)).train).toHaveLength(128);
    await chmod(copy, 0o700);
  });

  test('says which shard is missing, cut off, no tar, or another one', async () => {
    const message = async (): Promise<string> => {
      const error: unknown = await readDataset(copy).catch((reason: unknown) => reason);
      return `${(error as Error).message} | ${(error as { hint?: string }).hint}`;
    };
    const first = join(copy, 'train-000000.tar');
    const bytes = await readFile(first);
    await truncate(first, 5000);
    expect(await message()).toMatch(/train-000000\.tar is cut off: it has 5000 bytes, and its index goes to/);
    await rm(join(copy, 'train-000000.idx'));
    expect(await message()).toMatch(
      /is cut off: it has 5000 bytes, and the empty blocks at its end are missing/,
    );
    await truncate(first, 600);
    expect(await message()).toMatch(/train-000000\.tar is cut off: it has 600 bytes, and an entry ends at/);
    await writeFile(first, 'x'.repeat(2048));
    expect(await message()).toMatch(/train-000000\.tar is no tar file, or damaged at byte 0/);
    await writeFile(first, bytes);
    await rename(join(copy, 'train-000001.idx'), join(copy, 'train-000000.idx'));
    expect(await message()).toMatch(
      /holds .*, where its table has .*If only train-000000\.idx is wrong, delete it/,
    );
    await rm(first);
    expect(await message()).toMatch(/train-000000\.tar is missing from the dataset/);
  });

  test('a shard that GNU tar packed again is read', async ({ skip }) => {
    const call = promisify(execFile);
    const entries = await entriesOf(join(copy, 'val-000000.tar'));
    const loose = join(copy, 'loose');
    await rm(join(copy, 'val-000000.idx'));
    const packed = await call('mkdir', [loose])
      .then(async () => {
        for (const { name, bytes } of entries) await writeFile(join(loose, name), bytes);
        const names = entries.map(({ name }) => `./${name}`);
        await call('tar', ['-C', loose, '-cf', join(copy, 'val-000000.tar'), ...names]);
      })
      .then(
        () => true,
        () => false,
      );
    if (!packed) return skip('there is no tar here');
    const { val } = await readDataset(copy);
    expect(await readPicture(copy, val[0] ?? { file: '', label: 0 })).toEqual(entries[0]?.bytes);
  });
});

test('an index of other tools is read: more files in a sample, in any order', () => {
  const text =
    'v1.2 2\ncls 512 1 a.cls json 1536 20 a.json jpg 2560 900 a.jpg\njpeg 4096 7 b.jpeg cls 5120 1 b.cls\n';
  expect(parseShardIndex(text)).toEqual([
    { name: 'a.jpg', offset: 2560, length: 900 },
    { name: 'b.jpeg', offset: 4096, length: 7 },
  ]);
  expect(parseShardIndex(text.replace('v1.2 2', 'v1.2 3'))).toBeUndefined();
  expect(parseShardIndex(text.slice(0, -5))).toBeUndefined();
});

describe('the loader', () => {
  async function load(
    data: string,
    jobs: readonly JobRequest[],
    options: Partial<LoaderOptions> = {},
  ): Promise<{ batches: Array<{ labels: number[]; images: string }>; rejected: string[] }> {
    const { train, val, mean, std } = await readDataset(data);
    const loader = await Loader.start({
      ...{ folder: data, samples: { train, val }, mean, std, batchSize: 8, height: 20, width: 20, seed: 3 },
      ...options,
    });
    try {
      const total = jobs.reduce((sum, job) => sum + loader.enqueue(job).batches, 0);
      const reader = new BatchReader(loader.ring);
      const batches = Array.from({ length: total }, () => {
        const batch = reader.take();
        if (!batch) throw new Error('stopped');
        const { labels, images } = batch;
        const bytes = Buffer.from(images.buffer, images.byteOffset, images.byteLength);
        const kept = { labels: [...labels], images: bytes.toString('base64') };
        reader.release(batch);
        return kept;
      });
      // what the threads have said arrives with the event loop
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { batches, rejected: loader.rejected.map(({ file, reason }) => `${file}: ${reason}`) };
    } finally {
      await loader.close();
    }
  }

  const jobs: readonly JobRequest[] = [
    { split: 'train', epoch: 0 },
    { split: 'val', epoch: 0 },
    { split: 'train', epoch: 1, firstBatch: 3 },
  ];

  test('gives the same batches from shards as from files', async () => {
    const [one, other] = [await load(files, jobs), await load(shards, jobs, { workers: 3 })];
    expect(other).toEqual(one);
    expect(one.rejected).toEqual([]);
  });

  test('a shuffle buffer gives every picture once, the same for any number of threads and from any batch on', async () => {
    const whole: JobRequest = { split: 'train', epoch: 4, dropLast: false };
    const [one, three, all] = [
      await load(shards, [whole], { workers: 1, shuffleBuffer: 30 }),
      await load(shards, [whole], { workers: 3, shuffleBuffer: 30 }),
      await load(files, [whole]),
    ];
    expect(three).toEqual(one);
    const labels = ({ batches }: typeof one): number[] => batches.flatMap((batch) => batch.labels).sort();
    expect(labels(one)).toEqual(labels(all));
    expect(one.batches).not.toEqual(all.batches);
    const rest = await load(shards, [{ ...whole, firstBatch: 7 }], { workers: 2, shuffleBuffer: 30 });
    expect(rest.batches).toEqual(one.batches.slice(7));
  });

  test('a shuffle buffer is refused for a dataset in files', async () => {
    await expect(load(files, jobs, { shuffleBuffer: 100 })).rejects.toThrow(/needs a dataset in shards/);
  });

  test('pictures of a shard that became another one are rejected, not taken for theirs', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'resnode-shards-'));
    try {
      for (const [name, hex] of await contents(shards))
        await writeFile(join(copy, name), Buffer.from(hex, 'hex'));
      const { train, val, mean, std } = await readDataset(copy);
      await writeFile(join(copy, 'train-000001.tar'), await readFile(join(copy, 'train-000002.tar')));
      await truncate(join(copy, 'train-000003.tar'), 600);
      const loader = await Loader.start({
        ...{ folder: copy, samples: { train, val }, mean, std, batchSize: 8, height: 20, width: 20, seed: 3 },
      });
      const reader = new BatchReader(loader.ring);
      const { batches } = loader.enqueue({ split: 'train', epoch: 0 });
      let lost = 0;
      for (let i = 0; i < batches; i++) {
        const batch = reader.take();
        if (!batch) throw new Error('stopped');
        lost += batch.labels.filter((label) => label === -1).length;
        reader.release(batch);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      await loader.close();
      const reasons = loader.rejected.map(({ file, reason }) => `${file.split('/')[0]}: ${reason}`);
      expect(lost).toBe(reasons.length);
      const entries = await Promise.all(
        [1, 3].map((n) => readShardIndex(join(shards, `train-00000${n}.tar`))),
      );
      expect(lost).toBe(entries.flat().length);
      expect(new Set(reasons)).toEqual(
        new Set([
          'train-000001.tar: is not where the index says; delete train-000001.idx to have it made anew',
          'train-000003.tar: the shard is cut off',
        ]),
      );
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});
