import { describe, expect, it } from 'vitest';
import { atEachGpu } from './testing/members.js';

// Against a fake that keeps the contract of NCCL's calls: there is no GPU here.

const fill = `const joined = join();
  const floats = Float32Array.of(rank, 10 * rank, 100);
  nccl.memory.set(4096n, floats);
  const add = () => joined.allReduceOnDevice({ address: 4096n, length: 3, stream: 77n });`;

describe('GPUs joined by NCCL', () => {
  it('add up in place, each with its rank, on the stream that is current', async () => {
    const { answers } = atEachGpu(
      3,
      `${fill} add(); nccl.synchronize(); joined.close(); joined.close();
      return [[...floats], nccl.calls, said];`,
    );
    const reduction = { from: 4096n, to: 4096n, count: 3, type: 7, operation: 0, stream: 77n };
    expect(await answers).toEqual(
      [0, 1, 2].map((rank) => [
        [3, 30, 300],
        [
          'makeCurrent',
          ...(rank === 0 ? ['uniqueId'] : []),
          `join ${rank} of 3`,
          { ...reduction, communicator: BigInt(1000 + rank) },
          'destroy',
        ],
        rank === 0 ? ['the gradients of 3 GPUs are added by NCCL 2.30.7'] : [],
      ]),
    );
  });

  it('leave the numbers of the host to the host', async () => {
    const { answers } = atEachGpu(
      2,
      `const joined = join();
      const numbers = Float64Array.of(rank + 1);
      joined.allReduce(numbers);
      const given = Float64Array.of(rank);
      joined.broadcast(given, 1);
      joined.barrier();
      return [joined.rank, joined.size, numbers[0], given[0], nccl.calls.length];`,
    );
    expect(await answers).toEqual([
      [0, 2, 3, 1, 3],
      [1, 2, 3, 1, 2],
    ]);
  });

  it.each([
    ['by the call itself', { codes: { allReduce: 1 } }, 'ncclAllReduce: unhandled cuda error'],
    ['after the call', { later: 6 }, 'ncclAllReduce: remote process exited'],
  ])('say what NCCL says when it fails %s, and end the communicator once', async (_, options, text) => {
    const code = `${fill} let message;
      try { add(); } catch (error) { message = error.name + ': ' + error.message; }
      try { add(); } catch (error) { message += ', ' + error.name; }
      joined.close();
      return [message, nccl.calls.filter((call) => call === 'abort' || call === 'destroy')];`;
    const { answers } = atEachGpu(1, code, { 0: options });
    expect(await answers).toEqual([[`EngineError: ${text}, PeerFailure`, ['abort']]]);
  });

  it('say what NCCL says when they cannot join', async () => {
    const { answers } = atEachGpu(1, 'join()', { 0: { codes: { join: 1 } } });
    expect(await answers).toEqual(['EngineError: ncclCommInitRankConfig: unhandled cuda error']);
  });

  it('do not wait for one that failed before its reduction', async () => {
    const members = atEachGpu(
      3,
      `${fill}
      if (rank === 1) { ready(); throw new Error('out of memory'); }
      add();
      ready();
      const waited = nccl.synchronize();
      let then;
      try { add(); } catch (error) { then = error.name; }
      joined.close();
      return [waited, then, nccl.calls.filter((call) => call === 'abort' || call === 'destroy')];`,
    );
    await members.ready(3);
    // the failed one's as well
    expect(members.fail('replica 1 has failed').toSorted()).toEqual([1000n, 1001n, 1002n]);
    const left = ['aborted', 'PeerFailure', []];
    expect(await members.answers).toEqual([left, 'Error: out of memory', left]);
    expect(members.fail('again')).toEqual([]);
  });

  it('do not wait for one that failed before it joined', async () => {
    const load = `() => ({ ...nccl, path: '', state: (at) => nccl.state(at), abort: (at) => nccl.abort(at), uniqueId: (id) => nccl.uniqueId(id),
      join: (options) => { if (rank === 1) { joinedBy(0); ready(); throw new Error('out of memory'); } return nccl.join(options); } })`;
    const members = atEachGpu(
      2,
      `try { join({ load: ${load} }); }
      catch (error) { return [error.name, nccl.calls.includes('abort')]; }`,
    );
    await members.ready(1);
    expect(members.fail('replica 1 has failed')).toEqual([]);
    expect(await members.answers).toEqual([
      ['PeerFailure', true],
      ['Error', false],
    ]);
  });

  it.each([
    ['one is on the CPU', 'rank === 1 ? { gpu: undefined } : {}', 'replica 1 is not on a GPU'],
    ['two share a GPU', '{ gpu: { ...gpu, identity: String(rank % 2) } }', 'replicas 0 and 2 share a GPU'],
    [
      'one has no NCCL',
      "rank === 2 ? { load: () => { throw new Error('libnccl.so.2 is not here'); } } : {}",
      'libnccl.so.2 is not here',
    ],
  ])('go by way of the host where %s, and the first says so', async (_, changes, reason) => {
    const { answers } = atEachGpu(
      3,
      `const joined = join(${changes});
      return [joined === host, joined.allReduceOnDevice, nccl.calls, said];`,
    );
    const text = `the gradients go by way of the host, not through NCCL: ${reason}`;
    expect(await answers).toEqual([0, 1, 2].map((rank) => [true, undefined, [], rank === 0 ? [text] : []]));
  });

  it('say nothing where there is no GPU', async () => {
    const { answers } = atEachGpu(2, 'return [join({ gpu: undefined }) === host, said];');
    expect(await answers).toEqual([
      [true, []],
      [true, []],
    ]);
  });
});
