/**
 * Loss curves, our side: trains N steps and leaves what PyTorch needs to do the same from the same weights on the same
 * batches. `npx tsx bench/curves/resnode.ts --data DATA --out FOLDER`, then `python bench/curves/pytorch.py FOLDER`.
 */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readDataset } from '../../dist/data/dataset.js';
import { BatchReader } from '../../dist/data/loader/batch-reader.js';
import { Loader } from '../../dist/data/loader/loader.js';
import { engines } from '../../dist/engines/registry.js';
import { initialValues } from '../../dist/graph/initialize.js';
import { SafetensorsWriter } from '../../dist/interop/safetensors.js';
import { createModel } from '../../dist/models/index.js';
import { Optimizer } from '../../dist/train/optimizers/index.js';
import { trainingGraph } from '../../dist/train/training-graph.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    model: { type: 'string', default: 'cifar-resnet29' },
    crop: { type: 'string', default: '32' },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    'learning-rate': { type: 'string', default: '0.01' },
  },
});
const { data = '', out = '' } = values;
const [crop, batchSize, steps] = [Number(values.crop), Number(values.batch), Number(values.steps)];
const learningRate = Number(values['learning-rate']);
mkdirSync(out, { recursive: true });

const dataset = await readDataset(data);
const loader = await Loader.start({
  folder: dataset.folder,
  samples: { train: dataset.train, val: dataset.val },
  mean: dataset.mean,
  std: dataset.std,
  batchSize,
  height: crop,
  width: crop,
  seed: 1,
});
loader.enqueue({ split: 'train', epoch: 0, shuffle: true, dropLast: true, batches: steps });
const reader = new BatchReader(loader.ring);

const engine = await engines.onednn({ threads: Number(values.threads) });
const model = createModel({ name: values.model });
const classes = dataset.classes.length;
const optimizer = new Optimizer({ kind: 'sgd' });
const graph = trainingGraph(model, { batchSize, height: crop, width: crop, classes, optimizer });
const state = engine.createState();
const program = engine.compile(graph, { state });
const initial = initialValues(graph, 1);
for (const [name, value] of initial) state.write(name, value);
const specs = [...initial.keys()].map((name) => ({
  name,
  dtype: 'F32' as const,
  shape: state.values.get(name)?.shape ?? [],
}));
const file = new SafetensorsWriter(specs, {});
for (const [name, value] of initial) file.floats(name).set(value);
writeFileSync(join(out, 'initial.safetensors'), file.finish());

const batches = createWriteStream(join(out, 'batches.bin'));
const losses: number[] = [];
for (let step = 0; step < steps; step++) {
  const batch = reader.take();
  if (!batch) throw new Error('the loader ended early');
  const written = new Uint8Array(batch.images.byteLength + batch.labels.byteLength);
  written.set(new Uint8Array(batch.images.buffer, batch.images.byteOffset, batch.images.byteLength));
  written.set(
    new Uint8Array(batch.labels.buffer, batch.labels.byteOffset, batch.labels.byteLength),
    batch.images.byteLength,
  );
  batches.write(written);
  const scalars = Object.entries(optimizer.scalars({ learningRate, update: step + 1 }));
  program.run({
    image: batch.images,
    labels: batch.labels,
    ...Object.fromEntries(scalars.map(([name, value]) => [name, Float32Array.of(value)])),
  });
  losses.push(program.read('loss')[0] ?? Number.NaN);
  reader.release(batch);
}
await new Promise((resolve) => batches.end(resolve));
await loader.close();
writeFileSync(
  join(out, 'resnode.json'),
  JSON.stringify({ model: values.model, crop, batchSize, steps, classes, learningRate, losses }),
);
console.log(`loss ${losses[0]?.toFixed(4)} at the first step, ${losses.at(-1)?.toFixed(4)} at step ${steps}`);
engine.close();
