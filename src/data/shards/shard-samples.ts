import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import type { Split } from '../loader/job.js';
import type { Sample } from '../sample.js';
import type { ShardEntry } from './shard-entry.js';
import { readShardIndex } from './shard-index.js';
import { indexName, shardName } from './shard-layout.js';

/** The tar files of a dataset. */
export function shardFiles(shards: Readonly<Record<Split, number>>): string[] {
  return (['train', 'val'] as const).flatMap((split) =>
    Array.from({ length: shards[split] }, (_, number) => shardName(split, number)),
  );
}

/**
 * The samples of a split with their places in its shards, which hold them in the same order.
 * @param samples as the table of the split lists them
 * @throws UserError when the shards hold other pictures, or are cut off
 */
export async function shardSamples(
  folder: string,
  split: Split,
  shards: number,
  samples: readonly Sample[],
): Promise<Sample[]> {
  const placed: Sample[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const name = shardName(split, shard);
    const entries = await readShardIndex(join(folder, name));
    await requireSize(join(folder, name), entries);
    for (const entry of entries) {
      const sample = samples[placed.length];
      if (sample === undefined || sample.file !== `${split}/${entry.name}`) {
        throw otherPictures(folder, name, entry.name, sample);
      }
      const { offset, length } = entry;
      placed.push({ file: `${name}/${entry.name}`, label: sample.label, place: { shard, offset, length } });
    }
  }
  if (placed.length === samples.length) return placed;
  throw new UserError(
    `the shards of ${split} in ${folder} hold ${placed.length} pictures, ${split}.csv names ${samples.length}`,
    { hint: 'Copy the dataset again, or prepare the pictures again.' },
  );
}

function otherPictures(folder: string, shard: string, found: string, wanted: Sample | undefined): UserError {
  const listed = wanted ? `where its table has ${wanted.file}` : 'which its table does not name';
  return new UserError(`${join(folder, shard)} holds ${found}, ${listed}`, {
    hint: `Were files of another dataset copied here? If only ${indexName(shard)} is wrong, delete it.`,
  });
}

async function requireSize(path: string, entries: readonly ShardEntry[]): Promise<void> {
  const last = entries.at(-1);
  const end = last ? last.offset + last.length : 0;
  const file = await open(path, 'r').catch((error: Error) => {
    throw new UserError(`cannot read ${path}: ${error.message}`, { cause: error });
  });
  try {
    const { size } = await file.stat();
    if (size >= end) return;
    throw new UserError(`${path} is cut off: it has ${size} bytes, and its index goes to ${end}`, {
      hint: 'Copy it again, or prepare the pictures again.',
    });
  } finally {
    await file.close();
  }
}
