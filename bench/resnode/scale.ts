/**
 * Training steps of one or several replicas, in one process or in ranks of MPI, on pictures that lie ready in memory.
 * Speaks the lines of step.ts; of several ranks the first one does.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BatchWriter } from '../../dist/data/loader/batch-writer.js';
import { createRing } from '../../dist/data/loader/ring.js';
import { createModel } from '../../dist/models/index.js';
import { parseStages } from '../../dist/models/stages.js';
import { parseDevices } from '../../dist/parallel/devices.js';
import { EngineGroup } from '../../dist/train/engine-group.js';
import { noSums } from '../../dist/train/metrics.js';
import { Optimizer } from '../../dist/train/optimizers/index.js';
import type { Precision } from '../../dist/train/precision/precision.js';
import { World } from '../../dist/train/world.js';

const { values } = parseArgs({
  options: {
    stages: { type: 'string', default: '128x2,256x2,512x2,1024x2' },
    batch: { type: 'string', default: '32' },
    pixels: { type: 'string', default: '224' },
    classes: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    devices: { type: 'string', default: 'cpu' },
    precision: { type: 'string', default: 'fp32' },
    overlap: { type: 'string', default: 'off' },
    sync: { type: 'boolean', default: false },
    /** Folder through which the first rank hands on what it is told: a rank that waits within MPI keeps a core busy. */
    box: { type: 'string', default: '' },
  },
});

const [batchSize, pixels, classes] = [Number(values.batch), Number(values.pixels), Number(values.classes)];
const world = await World.join();
const own = batchSize / (world?.size ?? 1);
const slots = 2;
const ring = createRing({ slots, capacity: own, height: pixels, width: pixels });
const writer = new BatchWriter(ring);
const floats = new Float32Array(ring.images);
let word = 1 + (world?.rank ?? 0);
for (let index = 0; index < floats.length; index++) {
  word = Math.imul(word, 1664525) + 1013904223;
  floats[index] = word / 2 ** 31;
}

const engine = await EngineGroup.start({
  engine: 'onednn',
  devices: parseDevices(values.devices),
  rank: world?.place,
  threads: Number(values.threads),
  precision: values.precision as Precision,
  model: createModel({ family: 'resnet', stages: parseStages(values.stages) }).description,
  ...{ classes, height: pixels, width: pixels, ring },
  training: {
    ...{ batchSize, labelSmoothing: 0, seed: 0, initialization: 'xavier', syncBatchNorm: values.sync },
    overlap: values.overlap === 'on',
    optimizer: new Optimizer({ kind: 'sgd' }).spec,
  },
});
await engine.call('initialize', { seed: 1 });

let told = 0;
let batch = 0;
let globalStep = 0;

/** @returns seconds, and those of them that went into communication */
async function train(steps: number): Promise<{ seconds: number; exchanged: number }> {
  const started = performance.now();
  let exchanged = 0;
  for (let step = 0; step < steps; step++) {
    for (let position = 0; position < own; position++) {
      const header = { job: 0, index: batch, count: own, total: batchSize, last: false };
      writer.finish(batch, position, (position * 7 + 3) % classes, header);
    }
    batch++;
    const span = { batches: 1, globalStep: globalStep++, learningRate: 0.01, sums: noSums };
    exchanged += (await engine.call('train', span)).exchangedMs ?? 0;
  }
  return { seconds: (performance.now() - started) / 1e3, exchanged: exchanged / 1e3 };
}

const leads = !world || world.rank === 0;
const say = (answer: object): void => {
  if (leads) process.stdout.write(`${JSON.stringify(answer)}\n`);
};
await train(1);
say({ ready: true, version: `${values.devices}, ${world?.size ?? 1} processes` });
const lines = leads ? createInterface({ input: process.stdin })[Symbol.asyncIterator]() : undefined;
for (;;) {
  const line = lines ? ((await lines.next()).value as string | undefined) : undefined;
  const [command, count] = ((world ? await shared(line) : line) ?? 'quit').split(' ');
  if (command === 'quit') break;
  say(await train(Number(count)));
}
const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
say({ peakBytes: Number(kilobytes) * 1024 });
await engine.close();
await world?.client.release();
process.exit(0);

async function shared(line: string | undefined): Promise<string> {
  const file = join(values.box, `${told++}`);
  if (leads) {
    writeFileSync(`${file}.new`, line ?? 'quit');
    renameSync(`${file}.new`, file);
  }
  while (!existsSync(file)) await sleep(5);
  return readFileSync(file, 'utf8');
}
