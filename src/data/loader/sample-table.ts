import type { Sample } from '../sample.js';

/** The samples of a split in shared memory: each thread sees them, none has a copy. */
export interface SampleTable {
  readonly length: number;
  /** File names in UTF-8, one after the other. */
  readonly names: Uint8Array;
  /** Where each name begins, and where the last one ends. */
  readonly offsets: Float64Array;
  readonly labels: Int32Array;
  /** Where the samples lie in shards; undefined when each has a file of its own. */
  readonly places: SamplePlaces | undefined;
}

export interface SamplePlaces {
  /** Number of each sample's shard, ascending. */
  readonly shards: Int32Array;
  readonly offsets: Float64Array;
  readonly lengths: Int32Array;
  /** First sample of each shard, and the number of all. */
  readonly starts: Int32Array;
}

export function packSamples(samples: readonly Sample[]): SampleTable {
  const { length } = samples;
  const offsets = new Float64Array(new SharedArrayBuffer((length + 1) * 8));
  const labels = new Int32Array(new SharedArrayBuffer(length * 4));
  samples.forEach(({ file, label }, index) => {
    offsets[index + 1] = (offsets[index] as number) + Buffer.byteLength(file);
    labels[index] = label;
  });
  const names = Buffer.from(new SharedArrayBuffer(offsets[length] as number));
  samples.forEach(({ file }, index) => {
    names.write(file, offsets[index] as number);
  });
  return { length, names: new Uint8Array(names.buffer), offsets, labels, places: packPlaces(samples) };
}

function packPlaces(samples: readonly Sample[]): SamplePlaces | undefined {
  if (samples[0]?.place === undefined) return undefined;
  const { length } = samples;
  const shards = new Int32Array(new SharedArrayBuffer(length * 4));
  const offsets = new Float64Array(new SharedArrayBuffer(length * 8));
  const lengths = new Int32Array(new SharedArrayBuffer(length * 4));
  const starts: number[] = [];
  for (const [index, { place, file }] of samples.entries()) {
    if (!place) throw new Error(`${file} lies in no shard, the sample before does`);
    shards[index] = place.shard;
    offsets[index] = place.offset;
    lengths[index] = place.length;
    while (starts.length <= place.shard) starts.push(index);
  }
  starts.push(length);
  const shared = new Int32Array(new SharedArrayBuffer(starts.length * 4));
  shared.set(starts);
  return { shards, offsets, lengths, starts: shared };
}

/** File of a sample, below the dataset's folder. */
export function sampleFile({ names, offsets }: SampleTable, index: number): string {
  const from = offsets[index] as number;
  return Buffer.from(names.buffer, from, (offsets[index + 1] as number) - from).toString();
}
