import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { byteSize } from '../data/byte-size.js';
import type { Dataset } from '../data/dataset.js';
import { type CacheOptions, identityOf } from '../data/loader/cache/open-cache.js';
import type { TrainConfig } from './config.js';

/** What `cacheSize` is where nobody says it. */
export const defaultCacheSize = '4GB';

/** Where a run keeps decoded pictures on the disk; each rank has a file of its own. */
const cacheFile = (run: string, rank: number): string =>
  join(run, 'cache', rank === 0 ? 'pictures.bin' : `pictures-${rank}.bin`);

/** What the loader is told of its cache; undefined for none. @param run folder of the run */
export async function cacheFor(
  { cache = 'none', cacheSize = defaultCacheSize }: TrainConfig,
  dataset: Dataset,
  run: string,
  rank = 0,
): Promise<CacheOptions | undefined> {
  const bytes = byteSize(cacheSize, { owner: 'the cache of pictures', smallest: 1e6, example: '4GB' });
  if (cache === 'none') return undefined;
  if (cache === 'ram') return { kind: cache, bytes };
  return { kind: cache, bytes, path: cacheFile(run, rank), identity: await identityOf(dataset) };
}

/** A run that is finished needs its file no more. */
export async function dropCache(run: string, rank = 0): Promise<void> {
  await rm(cacheFile(run, rank), { force: true });
}
