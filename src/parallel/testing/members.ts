import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../worker-entry.js';
import { createMeetingPlace } from '../meeting.js';

/**
 * Runs a piece of code at each of several threads that have a communicator and a `NativeMemory` class; as text, since
 * what runs in another thread cannot close over anything.
 * @param code body of a function of (communicator, NativeMemory, place, failMeeting, shareText) whose result is handed back
 * @returns the results, or the message of the error, in the order of the members
 */
export function atEachMember(size: number, code: string): Promise<unknown[]> {
  const place = createMeetingPlace(size);
  const script = `
    const { workerData, parentPort } = require('node:worker_threads');
    (async () => {
      const { place, rank, urls } = workerData;
      const { SharedMemoryCommunicator } = await import(urls.shared);
      const { failMeeting } = await import(urls.meeting);
      const { shareText } = await import(urls.text);
      const { NativeMemory } = await import(urls.memory);
      const communicator = new SharedMemoryCommunicator(place, rank);
      const work = new Function('communicator', 'NativeMemory', 'place', 'failMeeting', 'shareText', workerData.code);
      try { parentPort.postMessage(work(communicator, NativeMemory, place, failMeeting, shareText)); }
      catch (error) { parentPort.postMessage(error.name + ': ' + error.message); }
    })();`;
  const urls = {
    shared: workerEntry('parallel/shared-memory.js').href,
    meeting: workerEntry('parallel/meeting.js').href,
    text: workerEntry('parallel/share-text.js').href,
    memory: workerEntry('engines/onednn/native-memory.js').href,
  };
  return Promise.all(
    Array.from(
      { length: size },
      (_, rank) =>
        new Promise<unknown>((resolve, reject) => {
          const worker = new Worker(script, { eval: true, workerData: { place, rank, code, urls } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
}
