/** The loader on command: one loader thread fills batches, this thread takes them. A step is one picture. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readDataset } from '../../dist/data/dataset.js';
import { BatchReader } from '../../dist/data/loader/batch-reader.js';
import { Loader } from '../../dist/data/loader/loader.js';
import type { TransformSpec } from '../../dist/data/transforms/transform.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    size: { type: 'string', default: '112' },
    workers: { type: 'string', default: '1' },
    cache: { type: 'boolean', default: false },
    // JSON: [{name, options}]; by default a crop and a flip
    transforms: { type: 'string' },
  },
});
const dataset = await readDataset(values.data ?? '');
const size = Number(values.size);
const batchSize = 32;
const loader = await Loader.start({
  folder: dataset.folder,
  samples: { train: dataset.train, val: dataset.val },
  mean: dataset.mean,
  std: dataset.std,
  batchSize,
  height: size,
  width: size,
  ...(values.transforms ? { trainTransforms: JSON.parse(values.transforms) as TransformSpec[] } : {}),
  workers: Number(values.workers),
  ...(values.cache ? { cache: { kind: 'ram', bytes: 2 ** 30 } as const } : {}),
  seed: 1,
});
const reader = new BatchReader(loader.ring);
let epoch = 0;
let left = 0;

function take(pictures: number): void {
  for (let taken = 0; taken < pictures; taken += batchSize) {
    if (left === 0)
      left = loader.enqueue({ split: 'train', epoch: epoch++, shuffle: true, dropLast: true }).batches;
    const batch = reader.take();
    if (batch) reader.release(batch);
    left -= 1;
  }
}

// pictures are decoded for the cache in the first epoch
take(values.cache ? dataset.train.length : batchSize);
const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ ready: true, version: `${values.workers} loader thread(s)` });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(' ');
  if (command === 'quit') break;
  const start = performance.now();
  take(Number(count));
  say({ seconds: (performance.now() - start) / 1e3 });
}
say({ peakBytes: process.resourceUsage().maxRSS * 1024 });
await loader.close();
