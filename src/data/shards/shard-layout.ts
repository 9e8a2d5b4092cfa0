import type { Split } from '../loader/job.js';

/** A tar is made of blocks of so many bytes; each entry has one for its header. */
export const blockBytes = 512;
/** Two empty blocks end a tar. */
const endBytes = 2 * blockBytes;

/** `train-000007.tar`. */
export function shardName(split: Split, number: number): string {
  return `${split}-${String(number).padStart(6, '0')}.tar`;
}

/** Name of the index beside a shard: `train-000007.idx`. */
export function indexName(shard: string): string {
  return shard.replace(/\.tar$/, '.idx');
}

/** What preprocess writes in the way of shards and their indices. */
export const shardPattern = /^(train|val)-\d{6,}\.(tar|idx)$/;

/** A picture of a shard, as `KEY.jpg` and, with the class, `KEY.cls`. */
export interface ShardSample {
  readonly key: string;
  readonly label: number;
  /** Bytes of the JPEG. */
  readonly length: number;
}

/** Bytes of an entry with its header. */
function entryBytes(length: number): number {
  return blockBytes + Math.ceil(length / blockBytes) * blockBytes;
}

/** Bytes that a sample takes in a shard. */
export function sampleBytes({ length, label }: Pick<ShardSample, 'length' | 'label'>): number {
  return entryBytes(length) + entryBytes(String(label).length);
}

/** Where the two files of a sample lie in a shard, when it begins at `at`. */
export function placeSample(
  { length }: Pick<ShardSample, 'length'>,
  at: number,
): { jpeg: number; label: number } {
  return { jpeg: at + blockBytes, label: at + entryBytes(length) + blockBytes };
}

/** A part of the samples that makes one shard. */
export interface ShardPlan {
  readonly first: number;
  readonly count: number;
  /** Bytes of the tar. */
  readonly bytes: number;
}

/**
 * Shares samples out to shards of at most `size` bytes, each with at least one sample.
 * @param bytesOf bytes that the sample takes, see `sampleBytes`
 */
export function planShards(count: number, bytesOf: (sample: number) => number, size: number): ShardPlan[] {
  const shards: ShardPlan[] = [];
  let first = 0;
  let bytes = endBytes;
  for (let sample = 0; sample < count; sample++) {
    const more = bytesOf(sample);
    if (sample > first && bytes + more > size) {
      shards.push({ first, count: sample - first, bytes });
      first = sample;
      bytes = endBytes;
    }
    bytes += more;
  }
  if (count > first) shards.push({ first, count: count - first, bytes });
  return shards;
}
