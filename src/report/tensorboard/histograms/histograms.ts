import { Worker } from 'node:worker_threads';
import { workerEntry } from '../../../worker-entry.js';
import type { SummaryValue } from '../messages.js';
import type { HistogramsData, HistogramsMessage } from './thread.js';

/**
 * Histograms of the learned tensors of a .safetensors file, counted in a thread of its own.
 * @param source.file its bytes, which are handed over, or its path; one that is gone has none
 */
export function histogramsOf(source: {
  file: Uint8Array<ArrayBuffer> | string;
  group: string;
}): Promise<readonly SummaryValue[]> {
  const workerData: HistogramsData = source;
  const transferList = typeof source.file === 'string' ? [] : [source.file.buffer];
  const worker = new Worker(workerEntry('report/tensorboard/histograms/thread.js'), {
    workerData,
    transferList,
    name: 'resnode-histograms',
  });
  return new Promise((resolve, reject) => {
    worker.once('message', (message: HistogramsMessage) => {
      if (!('error' in message)) resolve(message);
      else if (message.code === 'ENOENT') resolve([]);
      else reject(new Error(message.error));
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that counts histograms has ended')));
  });
}
