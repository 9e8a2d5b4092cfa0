import { byteSize } from '../byte-size.js';

/** The smallest that makes sense: a picture and the tar's own blocks. */
const smallest = 10_000;

/** Bytes of a size such as `256MB` or `1GiB`. @throws UserError when it is none */
export function shardSize(size: number | string): number {
  return byteSize(size, { owner: 'shards', smallest, example: '256MB or 1GB' });
}
