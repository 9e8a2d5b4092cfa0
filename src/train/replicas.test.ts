import { describe, expect, it } from 'vitest';
import { threadsOfEach } from './replicas.js';

describe('replicas', () => {
  it('share the threads as equally as can be', () => {
    expect(threadsOfEach(2, 4)).toEqual([2, 2]);
    expect(threadsOfEach(3, 8)).toEqual([3, 3, 2]);
    expect(threadsOfEach(4, 2)).toEqual([1, 1, 1, 1]);
  });
});
