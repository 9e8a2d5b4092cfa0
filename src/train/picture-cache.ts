import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { type CacheOptions, identityOf } from '../data/loader/cache/open-cache.js';
import { cacheBytes } from './cache-size.js';
import type { TrainConfig } from './config.js';

/** Where a run keeps decoded pictures on the disk; each rank has a file of its own. */
const cacheFile = (run: string, rank: number): string =>
  join(run, 'cache', rank === 0 ? 'pictures.bin' : `pictures-${rank}.bin`);

/** What the loader is told of its cache; undefined for none. @param run folder of the run */
export async function cacheFor(
  { cache = 'none', cacheSize }: TrainConfig,
  dataset: Dataset,
  run: string,
  rank = 0,
): Promise<CacheOptions | undefined> {
  if (cache === 'none') return undefined;
  const bytes = cacheBytes(cacheSize);
  if (cache === 'ram') return { kind: cache, bytes };
  return { kind: cache, bytes, path: cacheFile(run, rank), identity: await identityOf(dataset) };
}

/** A run that is finished needs its file no more. */
export async function dropCache(run: string, rank = 0): Promise<void> {
  await rm(cacheFile(run, rank), { force: true });
}
