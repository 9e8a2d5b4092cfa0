import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { type BatchShares, microBatchSize } from './batch-shares.js';

function refusal(shares: BatchShares): string | undefined {
  try {
    microBatchSize(shares);
  } catch (error) {
    const { message, hint } = error as UserError;
    return `${message}. ${hint}`;
  }
  return undefined;
}

describe('shares of a batch', () => {
  it('are equal parts for every micro-batch of every replica', () => {
    expect(microBatchSize({ batchSize: 32 })).toBe(32);
    expect(microBatchSize({ batchSize: 32, replicas: 4, accumulate: 2 })).toBe(4);
  });

  it('are refused by name, with the nearest sizes that divide', () => {
    expect(refusal({ batchSize: 50, replicas: 4 })).toBe(
      'the batch size of 50 does not divide into 4 replicas. It is the batch of a whole step, all replicas together: 48 and 52 do.',
    );
    expect(refusal({ batchSize: 3, accumulate: 4 })).toMatch(/into 4 micro-batches\. .* 4 does\./);
    // each of the two divides it, both together do not
    expect(refusal({ batchSize: 6, replicas: 2, accumulate: 2 })).toMatch(
      /into 2 replicas of 2 micro-batches\. .* 4 and 8 do\./,
    );
  });

  it('never leave a part of a picture', () => {
    const number = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(number, number, number, (batchSize, replicas, accumulate) => {
        const shares = { batchSize, replicas, accumulate };
        if (batchSize % (replicas * accumulate) === 0) {
          expect(microBatchSize(shares) * replicas * accumulate).toBe(batchSize);
        } else {
          expect(() => microBatchSize(shares)).toThrow(UserError);
        }
      }),
    );
  });
});
