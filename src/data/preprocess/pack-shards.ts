import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { UserError } from '../../errors.js';
import type { Split } from '../loader/job.js';
import { indexName, planShards, type ShardSample, sampleBytes, shardName } from '../shards/shard-layout.js';
import { writeShard } from '../shards/shard-writer.js';
import type { PictureTable } from './picture-table.js';
import { type SpoolStore, spoolFiles } from './spool-store.js';

/** Where the JPEG of each picture lies in the spool. */
export interface KeptPictures {
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly crcs: Uint32Array;
}

export interface PackOptions {
  /** The dataset's folder. */
  readonly out: string;
  readonly table: PictureTable;
  readonly store: SpoolStore;
  readonly kept: KeptPictures;
  readonly ordered: Readonly<Record<Split, Uint32Array>>;
  /** Class id of each label. */
  readonly idOf: Int32Array;
  /** Most bytes of a shard. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
  readonly onPacked: (pictures: number) => void;
}

/**
 * Makes shards of the spool, in the order of the pictures' names. Shards that an interrupted run finished stay,
 * and the spool is removed file by file as the shards are written, so that the disk need not hold both.
 * @returns the number of shards
 * @throws the file system's error; UserError when the spool is damaged
 */
export async function packShards(options: PackOptions): Promise<Record<Split, number>> {
  const packed = { done: 0 };
  const val = await packSplit('val', options, packed, () => Promise.resolve());
  let released = 0;
  const train = await packSplit('train', options, packed, async (bucket) => {
    for (; released < bucket; released++) await options.store.release(released);
  });
  for (; released < spoolFiles; released++) await options.store.release(released);
  return { train, val };
}

async function packSplit(
  split: Split,
  options: PackOptions,
  packed: { done: number },
  reached: (bucket: number) => Promise<void>,
): Promise<number> {
  const { out, table, store, kept, size, idOf, signal, onPacked } = options;
  const order = options.ordered[split];
  const sampleAt = (position: number): ShardSample => {
    const index = order[position] as number;
    const label = idOf[table.classes[index] as number] as number;
    return { key: table.name(index), label, length: kept.lengths[index] as number };
  };
  const plans = planShards(order.length, (position) => sampleBytes(sampleAt(position)), size);
  for (const [number, { first, count, bytes }] of plans.entries()) {
    signal?.throwIfAborted();
    const path = join(out, shardName(split, number));
    if (!(await isWhole(path, bytes))) {
      const samples = Array.from({ length: count }, (_, position) => sampleAt(first + position));
      await writeShard(path, samples, (position) => readKept(order[first + position] as number, options));
    }
    packed.done += count;
    onPacked(packed.done);
    await reached(store.bucket(order[first + count - 1] as number));
  }
  return plans.length;
}

/** Written under its name only when it was whole; the size tells it from one of another run. */
async function isWhole(path: string, bytes: number): Promise<boolean> {
  try {
    const [tar] = await Promise.all([stat(path), stat(indexName(path))]);
    return tar.size === bytes;
  } catch {
    return false;
  }
}

function readKept(index: number, { table, store, kept, out }: PackOptions): Buffer {
  const [offset, length, crc] = [kept.offsets[index], kept.lengths[index], kept.crcs[index]] as [
    number,
    number,
    number,
  ];
  const bytes = store.read(index, { offset, length, crc });
  if (bytes.length === length && crc32(bytes) === crc) return bytes;
  throw new UserError(`what was kept of ${table.file(index)} in ${out} is damaged`, {
    hint: 'The disk has lost data. Run the same command with --no-resume to start over.',
  });
}
