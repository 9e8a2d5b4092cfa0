import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { floatsOf, parseSafetensors } from '../../../interop/safetensors.js';
import type { SummaryValue } from '../messages.js';
import { histogramOf } from './histogram.js';

/** What the thread is started with. */
export interface HistogramsData {
  /** A .safetensors file, or where it lies. */
  readonly file: Uint8Array | string;
  /** First part of the tags. */
  readonly group: string;
}

/** What it answers with, once. */
export type HistogramsMessage = readonly SummaryValue[] | { readonly error: string; readonly code?: string };

async function histograms({ file, group }: HistogramsData): Promise<SummaryValue[]> {
  const { tensors } = parseSafetensors(typeof file === 'string' ? await readFile(file) : file);
  return [...tensors.values()].filter(isLearned).flatMap((tensor) => {
    const histo = histogramOf(floatsOf(tensor));
    return histo ? [{ tag: `${group}/${tensor.name}`, histo }] : [];
  });
}

/** Not what a checkpoint holds beside the parameters. */
function isLearned({ name, dtype }: { name: string; dtype: string }): boolean {
  return dtype === 'F32' && !name.startsWith('optimizer.') && !/\.running_(mean|var)$/.test(name);
}

if (parentPort) {
  const port = parentPort;
  const answer = (message: HistogramsMessage): void => port.postMessage(message);
  histograms(workerData as HistogramsData).then(answer, (error: NodeJS.ErrnoException) =>
    answer({ error: error.message, ...(error.code === undefined ? {} : { code: error.code }) }),
  );
}
