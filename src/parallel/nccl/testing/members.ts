import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../../worker-entry.js';
import { createMeetingPlace, failMeeting } from '../../meeting.js';
import { abortAll, createNcclTable } from '../table.js';
import { abortFake, createFakeGpus, type FakeOptions } from './fake-nccl.js';

export interface FakeMembers {
  /** Of all members, in their order: what the code gives, or the error as text. */
  readonly answers: Promise<unknown[]>;
  /** Waits until so many members have called `ready()`. */
  ready(count: number): Promise<void>;
  /** As the main thread does when a member has failed. @returns the communicators that it aborted */
  fail(message: string): bigint[];
}

/**
 * Runs a piece of code at each of several threads that have a GPU in common with nobody.
 * @param code body of a function of (host, nccl, gpu, join, rank, said, ready, joinedBy): `join(changes)` is `joinGpus` with the
 * fake, its options changed by `changes`
 * @param options of the fake of each member
 */
export function atEachGpu(
  size: number,
  code: string,
  options: Readonly<Record<number, FakeOptions>> = {},
): FakeMembers {
  const [place, table, gpus] = [createMeetingPlace(size), createNcclTable(size), createFakeGpus(size)];
  const arrived = new Int32Array(new SharedArrayBuffer(4));
  const script = `
    const { workerData, parentPort } = require('node:worker_threads');
    (async () => {
      const { place, table, gpus, rank, options, urls, code, arrived } = workerData;
      const { createJiti } = require('jiti');
      const { FakeNccl } = await createJiti(urls.fake).import(urls.fake);
      const { SharedMemoryCommunicator } = await import(urls.shared);
      const { joinGpus } = await import(urls.join);
      const host = new SharedMemoryCommunicator(place, rank);
      const nccl = new FakeNccl(gpus, options);
      const gpu = { identity: 'gpu ' + rank, nccl: [], makeCurrent: () => nccl.calls.push('makeCurrent') };
      const said = [];
      const join = (changes = {}) => joinGpus(
        { host, gpu, table, replica: rank, load: () => nccl, say: (text) => said.push(text), ...changes });
      const ready = () => Atomics.add(arrived, 0, 1);
      const joinedBy = (other) => { while (!nccl.hasJoined(other)) Atomics.wait(arrived, 0, -1, 1); };
      const work = new Function('host', 'nccl', 'gpu', 'join', 'rank', 'said', 'ready', 'joinedBy', code);
      try { parentPort.postMessage(work(host, nccl, gpu, join, rank, said, ready, joinedBy)); }
      catch (error) { parentPort.postMessage(error.name + ': ' + error.message); }
    })().catch((error) => parentPort.postMessage('broken: ' + error.stack));`;
  const urls = {
    fake: new URL('./fake-nccl.ts', import.meta.url).href,
    shared: workerEntry('parallel/shared-memory.js').href,
    join: workerEntry('parallel/nccl/join.js').href,
  };
  const answers = Array.from(
    { length: size },
    (_, rank) =>
      new Promise<unknown>((resolve, reject) => {
        const data = { place, table, gpus, rank, code, urls, arrived, options: options[rank] };
        const worker = new Worker(script, { eval: true, workerData: data });
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  return {
    answers: Promise.all(answers),
    async ready(count) {
      while (Atomics.load(arrived, 0) < count) await sleep(5);
    },
    fail(message) {
      const aborted: bigint[] = [];
      failMeeting(place, message);
      abortAll(table, (_, communicator) => {
        aborted.push(communicator);
        abortFake(gpus, communicator);
      });
      return aborted;
    },
  };
}
