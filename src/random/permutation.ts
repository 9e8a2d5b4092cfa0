import { type PhiloxKey, randomPurpose } from './philox.js';
import { RandomStream } from './random-stream.js';

/**
 * The numbers 0 to n - 1 in the random order of (seed, epoch): Fisher-Yates, drawn from Philox.
 * @throws RangeError when n is not a whole number below 2^31
 */
export function permutation(n: number, seed: number | PhiloxKey, epoch: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || n >= 2 ** 31) throw new RangeError(`cannot permute ${n} things`);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const random = new RandomStream(seed, randomPurpose.permutation);
  random.seek(epoch, 0);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}
