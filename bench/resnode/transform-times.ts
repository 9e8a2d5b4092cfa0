/** Prints the milliseconds of each transform, applied to decoded pictures in this thread, as a JSON list. */
import { parseArgs } from 'node:util';
import { timeTransforms } from '../../dist/augment/transform-times.js';
import { readDataset } from '../../dist/data/dataset.js';
import { SampleReader } from '../../dist/data/loader/sample-reader.js';
import type { TransformSpec } from '../../dist/data/transforms/transform.js';
import { randomPurpose } from '../../dist/random/philox.js';
import { RandomStream } from '../../dist/random/random-stream.js';

const { values } = parseArgs({ options: { data: { type: 'string' }, transforms: { type: 'string' } } });
const specs = JSON.parse(values.transforms ?? '[]') as TransformSpec[];
const { folder, train, mean, std } = await readDataset(values.data ?? '');
const samples = train.slice(0, 200).map((sample, index) => ({ sample, index }));
const reader = new SampleReader(folder, 'train');
const times = specs.map((spec) => {
  const random = new RandomStream(1, randomPurpose.trainTransforms);
  const stages = timeTransforms({ reader, samples, specs: [spec], normalization: { mean, std }, random });
  return stages[1]?.perUse;
});
process.stdout.write(`${JSON.stringify(times)}\n`);
