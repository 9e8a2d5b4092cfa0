import type { Sample } from '../dataset.js';

/** The samples of a split in shared memory: each thread sees them, none has a copy. */
export interface SampleTable {
  readonly length: number;
  /** File names in UTF-8, one after the other. */
  readonly names: Uint8Array;
  /** Where each name begins, and where the last one ends. */
  readonly offsets: Int32Array;
  readonly labels: Int32Array;
}

export function packSamples(samples: readonly Sample[]): SampleTable {
  const { length } = samples;
  const offsets = new Int32Array(new SharedArrayBuffer((length + 1) * 4));
  const labels = new Int32Array(new SharedArrayBuffer(length * 4));
  samples.forEach(({ file, label }, index) => {
    offsets[index + 1] = (offsets[index] as number) + Buffer.byteLength(file);
    labels[index] = label;
  });
  const names = Buffer.from(new SharedArrayBuffer(offsets[length] as number));
  samples.forEach(({ file }, index) => {
    names.write(file, offsets[index] as number);
  });
  return { length, names: new Uint8Array(names.buffer), offsets, labels };
}

/** File of a sample, below the dataset's folder. */
export function sampleFile({ names, offsets }: SampleTable, index: number): string {
  const from = offsets[index] as number;
  return Buffer.from(names.buffer, from, (offsets[index + 1] as number) - from).toString();
}
