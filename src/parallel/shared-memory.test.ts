import { describe, expect, it } from 'vitest';
import { atEachMember } from './testing/members.js';

describe('a communicator of threads', () => {
  it.each([2, 3, 4])('adds the native buffers of %i members, of any length', async (size) => {
    const results = await atEachMember(
      size,
      `const memory = new NativeMemory(1 << 20);
       const sums = [1, 15, 16, 33, 5000, 100_003].map((length) => {
         const floats = memory.floats(64, length);
         floats.forEach((_, index) => { floats[index] = (index % 7) * 10 ** communicator.rank; });
         communicator.allReduce({ address: BigInt(memory.address) + 64n, length });
         const factor = Number('1'.repeat(communicator.size));
         return floats.every((value, index) => value === Math.fround((index % 7) * factor));
       });
       communicator.barrier();
       memory.close();
       return sums;`,
    );
    expect(results).toEqual(new Array(size).fill(new Array(6).fill(true)));
  });

  it('adds and hands round arrays of the host, longer than a piece, in either precision', async () => {
    const results = await atEachMember(
      3,
      `const { rank } = communicator;
       return [Float32Array, Float64Array].map((Numbers) => {
         const sum = new Numbers(40_000).fill(rank + 1);
         communicator.allReduce(sum);
         const given = new Numbers(40_000).fill(rank);
         communicator.broadcast(given, 2);
         return [sum.every((value) => value === 6), given.every((value) => value === 2)];
       });`,
    );
    expect(results).toEqual(
      new Array(3).fill([
        [true, true],
        [true, true],
      ]),
    );
  });

  it('hands round native buffers', async () => {
    const results = await atEachMember(
      3,
      `const memory = new NativeMemory(4096);
       const floats = memory.floats(0, 100).fill(communicator.rank);
       communicator.broadcast({ address: BigInt(memory.address), length: 100 }, 1);
       return [...new Set(floats)];`,
    );
    expect(results).toEqual([[1], [1], [1]]);
  });

  it('gives the same sums however the threads run', async () => {
    const code = `const values = Float32Array.from({ length: 999 }, (_, index) => Math.sin(index * (communicator.rank + 1)) * 1e3);
      const waits = new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(waits, 0, 0, Math.random() * 20);
      communicator.allReduce(values);
      return values;`;
    const [first, second] = [await atEachMember(4, code), await atEachMember(4, code)];
    expect(second).toEqual(first);
    expect(first[3]).toEqual(first[0]);
  });

  it('lets all go with the message of the one that failed first, now and later', async () => {
    const results = await atEachMember(
      3,
      `if (communicator.rank === 1) {
         failMeeting(place, 'replica 1 is out of memory');
         failMeeting(place, 'another reason');
         return 'failed';
       }
       try { communicator.barrier(); } catch {}
       communicator.allReduce(new Float32Array(1));`,
    );
    const message = 'PeerFailure: replica 1 is out of memory';
    expect(results).toEqual([message, 'failed', message]);
  });

  it('tells all what the first one says that has something to say', async () => {
    const results = await atEachMember(
      4,
      `const said = { 2: 'the disk of größe 2 is gone', 3: 'mine too' }[communicator.rank];
       return [shareText(communicator, said), shareText(communicator, undefined)];`,
    );
    expect(results).toEqual(new Array(4).fill(['the disk of größe 2 is gone', undefined]));
  });
});
