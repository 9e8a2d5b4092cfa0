import { byteSize } from '../data/byte-size.js';

/** What `cacheSize` is where nobody says it. */
export const defaultCacheSize = '4GB';

/**
 * Most bytes of decoded pictures.
 * @throws UserError when it is no size, or one that holds next to nothing
 */
export function cacheBytes(size: string | number = defaultCacheSize): number {
  return byteSize(size, { owner: 'the cache of pictures', smallest: 1e6, example: '4GB' });
}
