/**
 * Our side of the benchmark: one process that runs training or inference steps on command, as the engine thread does.
 * Speaks the same lines as bench/pytorch/serve.py.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { HostArray } from '../../dist/engines/engine.js';
import { type EngineName, engines } from '../../dist/engines/registry.js';
import { initialValues } from '../../dist/graph/initialize.js';
import { createModel } from '../../dist/models/index.js';
import { parseStages } from '../../dist/models/stages.js';
import { Optimizer } from '../../dist/train/optimizers/index.js';
import type { Precision } from '../../dist/train/precision/precision.js';
import { inferenceGraph, trainingGraph } from '../../dist/train/training-graph.js';

const { values } = parseArgs({
  options: {
    stages: { type: 'string', default: '128x2,256x2,512x2,1024x2' },
    batch: { type: 'string', default: '32' },
    pixels: { type: 'string', default: '224' },
    classes: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'train' },
    engine: { type: 'string', default: 'onednn' },
    device: { type: 'string', default: 'cpu' },
    precision: { type: 'string', default: 'fp32' },
  },
});

const [batchSize, pixels, classes] = [Number(values.batch), Number(values.pixels), Number(values.classes)];
const engine = await engines[values.engine as EngineName]({
  threads: Number(values.threads),
  device: values.device,
});
const model = createModel({ family: 'resnet', stages: parseStages(values.stages) });
const optimizer = new Optimizer({ kind: 'sgd' });
const precision = values.precision as Precision;
const batch = { batchSize, height: pixels, width: pixels, classes, precision };
const scaled = precision === 'fp16';
const graph =
  values.mode === 'train'
    ? trainingGraph(model, { ...batch, optimizer, scaled })
    : inferenceGraph(model, batch);
const state = engine.createState();
const program = engine.compile(graph, { state });
for (const [name, data] of initialValues(graph, 1)) state.write(name, data);

const image = new Float32Array(new SharedArrayBuffer(batchSize * 3 * pixels * pixels * 4));
let word = 1;
for (let index = 0; index < image.length; index++) {
  word = Math.imul(word, 1664525) + 1013904223;
  image[index] = word / 2 ** 31;
}
const labels = Int32Array.from({ length: batchSize }, (_, index) => (index * 7 + 3) % classes);
const inputs: Record<string, HostArray> = { image };
if (values.mode === 'train') {
  inputs.labels = labels;
  const scalars = optimizer.scalars({ learningRate: 0.01, update: 1 });
  const scale = scaled ? { lossScale: 65536, lossWeight: 65536 } : {};
  for (const [name, value] of Object.entries({ ...scalars, ...scale })) inputs[name] = Float32Array.of(value);
}

// waits for a GPU, too
const wait = (): unknown => program.read('logits');
program.run(inputs);
wait();
const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ ready: true, version: `${engine.name}, arena ${(program.memory.arena / 2 ** 20).toFixed(0)} MiB` });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, count] = line.split(' ');
  if (command === 'quit') break;
  const start = performance.now();
  for (let step = 0; step < Number(count); step++) program.run(inputs);
  wait();
  say({ seconds: (performance.now() - start) / 1e3 });
}
const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
say({ peakBytes: Number(kilobytes) * 1024 });
engine.close();
