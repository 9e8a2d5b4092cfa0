import { describe, expect, it } from 'vitest';
import { PendingSums, type SumCalls } from './pending-sums.js';

/** Requests are numbered; `done` says when MPI is through with those it is asked about. */
function fake(requestBytes: 4 | 8): { calls: SumCalls; asked: string[]; done: boolean } {
  const state = { asked: [] as string[], done: false, next: 1 };
  const numbers = (count: number, requests: Uint8Array): number[] =>
    Array.from({ length: count }, (_, index) => requests[index * requestBytes] as number);
  return Object.assign(state, {
    calls: {
      requestBytes,
      begin: (data: bigint, count: number, type: number, request: Uint8Array): void => {
        expect(request).toHaveLength(requestBytes);
        request[0] = state.next++ % 251;
        state.asked.push(`begin ${data} ${count} ${type}`);
      },
      test: (count: number, requests: Uint8Array): boolean => {
        state.asked.push(`test ${numbers(count, requests)}`);
        return state.done;
      },
      wait: (count: number, requests: Uint8Array): void => {
        state.asked.push(`wait ${numbers(count, requests)}`);
      },
    },
  });
}

describe.each([4, 8] as const)('pending sums with requests of %d bytes', (bytes) => {
  it('asks about those under way only', () => {
    const mpi = fake(bytes);
    const pending = new PendingSums(mpi.calls);
    pending.progress();
    pending.finish();
    expect(mpi.asked).toEqual([]);
    pending.begin(100n, 3, 7);
    pending.begin(200n, 4, 7);
    pending.progress();
    expect(mpi.asked).toEqual(['begin 100 3 7', 'begin 200 4 7', 'test 1,2']);
    mpi.done = true;
    pending.progress();
    pending.progress();
    pending.finish();
    expect(mpi.asked.slice(3)).toEqual(['test 1,2']);
    pending.begin(300n, 5, 7);
    pending.finish();
    expect(mpi.asked.slice(4)).toEqual(['begin 300 5 7', 'wait 3']);
  });

  it('waits for those before where they are too many', () => {
    const mpi = fake(bytes);
    const pending = new PendingSums(mpi.calls);
    for (let index = 0; index < 600; index++) pending.begin(BigInt(index), 1, 7);
    pending.finish();
    const waited = mpi.asked.filter((call) => call.startsWith('wait'));
    expect(waited.map((call) => call.split(',').length)).toEqual([256, 256, 88]);
  });
});
