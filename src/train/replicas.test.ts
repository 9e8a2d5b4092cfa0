import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { checkBatchShares, threadsOfEach } from './replicas.js';

describe('replicas', () => {
  it('share the threads as equally as can be', () => {
    expect(threadsOfEach(2, 4)).toEqual([2, 2]);
    expect(threadsOfEach(3, 8)).toEqual([3, 3, 2]);
    expect(threadsOfEach(4, 2)).toEqual([1, 1, 1, 1]);
  });

  it('refuse a batch that they cannot share, and name the nearest that they can', () => {
    const hintOf = (batchSize: number, members: number): string | undefined => {
      try {
        checkBatchShares(batchSize, members);
      } catch (error) {
        return (error as UserError).hint;
      }
      return undefined;
    };
    expect(hintOf(32, 4)).toBeUndefined();
    expect(hintOf(50, 4)).toContain('48 and 52 are');
    expect(hintOf(3, 4)).toContain('4 is');
    expect(() => checkBatchShares(50, 4)).toThrow(UserError);
  });
});
