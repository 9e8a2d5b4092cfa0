import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digest, fill, labels } from '../../../test/golden/formula.js';
import { differentiate } from '../../graph/differentiate.js';
import { fuse } from '../../graph/fuse.js';
import { elements, Graph, type Value } from '../../graph/graph.js';
import { softmaxCrossEntropy } from '../../graph/ops/loss.js';
import { sgd } from '../../graph/ops/optimizers.js';
import { createModel, type ModelSpec } from '../../models/index.js';
import { Layers } from '../../models/layers.js';
import type { Engine, EngineState } from '../engine.js';
import { goldenPath } from './golden.js';

type Digest = readonly number[];
type Digests = Readonly<Record<string, Digest>>;

interface GoldenNetwork {
  readonly network: string;
  readonly stages?: Array<[number, number]>;
  readonly depth?: number;
  readonly block?: 'basic' | 'bottleneck';
  readonly batch: number;
  readonly pixels: number;
  readonly classes: number;
  readonly parameters: number;
  readonly optimizer: { lr: number; momentum: number; weightDecay: number };
  readonly tensors: Record<string, { shape: number[]; scale: number; offset: number }>;
  readonly steps: ReadonlyArray<{
    images: string;
    loss: number;
    logits: Digest;
    gradients: Digests;
    parameters: Digests;
    running: Digests;
  }>;
  readonly evaluation: { images: string; logits: Digest };
}

/**
 * Relative to the norm of each tensor; three float32 steps against three in float64. In the plain networks a BN
 * follows a ReLU or a PReLU that few values pass: the order of a sum alone moves their gradients (3.3e-4 on AVX2). In
 * the largest BN-Conv-ReLU network one of two million ReLUs flips there (4.2e-4).
 */
const tolerances: Readonly<Record<string, number>> = {
  alexnet: 5e-4,
  zfnet: 5e-4,
  vgg13: 5e-4,
  'bn-conv-relu-26': 1e-3,
};
const usualTolerance = 1e-4;

const specs: Record<string, (golden: GoldenNetwork) => ModelSpec> = {
  preact: ({ stages = [] }) => ({ family: 'resnet', stages }),
  'bn-conv-relu': ({ stages = [] }) => ({ family: 'resnet', stages, block: 'bn-conv-relu' }),
  cifar: ({ depth = 20, block = 'basic' }) => ({ family: 'resnet-cifar', depth, block }),
  alexnet: () => ({ name: 'alexnet' }),
  zfnet: () => ({ name: 'zfnet' }),
  vgg13: () => ({ name: 'vgg13' }),
};

/** Whole networks: three training steps and an evaluation, every gradient, parameter and running statistic. */
export function networkConformance(engine: () => Engine): void {
  describe('networks against PyTorch', () => {
    const files = readdirSync(goldenPath('networks/')).filter((file) => file.endsWith('.json'));
    it('has golden files of every family', () => expect(files.length).toBeGreaterThanOrEqual(10));
    for (const file of files) {
      const golden = JSON.parse(readFileSync(goldenPath(`networks/${file}`), 'utf8')) as GoldenNetwork;
      const name = file.replace('.json', '');
      it(name, () => runNetwork(engine(), golden, tolerances[name] ?? usualTolerance), 120_000);
    }
  });
}

function runNetwork(engine: Engine, golden: GoldenNetwork, tolerance: number): void {
  const training = trainingGraph(golden);
  const state = engine.createState();
  try {
    const program = engine.compile(training.graph, { state, poison: true });
    initialise(state, golden);
    golden.steps.forEach((step, index) => {
      const where = `step ${index + 1}`;
      program.run({
        image: images(golden, step.images),
        labels: labels(index * golden.batch, golden.batch, golden.classes),
        learningRate: Float32Array.of(golden.optimizer.lr),
        momentum: Float32Array.of(golden.optimizer.momentum),
        weightDecay: Float32Array.of(golden.optimizer.weightDecay),
      });
      expectNumber(`${where}: loss`, program.read('loss')[0] ?? Number.NaN, step.loss, tolerance);
      expectDigest(`${where}: logits`, {
        name: 'logits',
        values: program.read('logits'),
        expected: step.logits,
        tolerance,
      });
      for (const [name, expected] of Object.entries(step.gradients)) {
        const values = program.read(`gradient:${name}`);
        expectDigest(`${where}: gradient of ${name}`, { name, values, expected, tolerance });
      }
      for (const [name, expected] of Object.entries({ ...step.parameters, ...step.running })) {
        expectDigest(`${where}: ${name}`, { name, values: state.read(name), expected, tolerance });
      }
    });
    program.close();
    for (const fused of [true, false]) {
      const evaluation = engine.compile(evaluationGraph(golden, fused), { state, poison: true });
      evaluation.run({ image: images(golden, golden.evaluation.images) });
      const what = `evaluation ${fused ? 'with' : 'without'} fusion`;
      const values = evaluation.read('logits');
      expectDigest(what, { name: 'logits', values, expected: golden.evaluation.logits, tolerance });
      evaluation.close();
    }
  } finally {
    state.close();
  }
}

function trainingGraph(golden: GoldenNetwork): { graph: Graph } {
  const graph = new Graph();
  const layers = new Layers(graph, { training: true, dropout: false });
  const logits = build(golden, graph, layers);
  const target = graph.input('labels', [golden.batch], 'i32');
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0 }, [logits, target], 'loss');
  const gradients = differentiate(graph, { loss });
  layers.updateStatistics();
  const scalars = ['learningRate', 'momentum', 'weightDecay'].map((name) => graph.input(name, [1]));
  const pairs = graph.values('parameter').flatMap((parameter): Value[] => {
    const gradient = gradients.get(parameter);
    if (!gradient) throw new Error(`${parameter.name} has no gradient`);
    graph.output(`gradient:${parameter.name}`, gradient);
    return [parameter, gradient];
  });
  graph.apply(sgd, { nesterov: true }, [...scalars, ...pairs], 'sgd');
  graph.output('loss', loss);
  graph.output('logits', logits);
  const count = graph.values('parameter').reduce((sum, parameter) => sum + elements(parameter), 0);
  expect(count, 'number of parameters').toBe(golden.parameters);
  return { graph: fuse(graph) };
}

function evaluationGraph(golden: GoldenNetwork, fused: boolean): Graph {
  const graph = new Graph();
  graph.output('logits', build(golden, graph, new Layers(graph, { training: false })));
  return fused ? fuse(graph) : graph;
}

function build(golden: GoldenNetwork, graph: Graph, layers: Layers): Value {
  const spec = specs[golden.network];
  if (!spec) throw new Error(`no model for ${golden.network}`);
  const image = graph.input('image', [golden.batch, 3, golden.pixels, golden.pixels]);
  return createModel(spec(golden)).build(layers, image, golden.classes);
}

function initialise(state: EngineState, golden: GoldenNetwork): void {
  for (const [name, value] of state.values) {
    const rule = golden.tensors[name];
    const count = elements(value);
    if (rule) {
      expect(value.shape, `shape of ${name}`).toEqual(rule.shape);
      state.write(name, fill(name, count, rule.scale, rule.offset));
    } else {
      expect(name, 'a parameter without a golden value').toMatch(/running_(mean|var)$/);
      state.write(name, new Float32Array(count).fill(name.endsWith('running_var') ? 1 : 0));
    }
  }
}

function images(golden: GoldenNetwork, name: string): Float32Array {
  return fill(name, golden.batch * 3 * golden.pixels ** 2, 1, 0);
}

function expectNumber(what: string, actual: number, expected: number, tolerance: number): void {
  const error = Math.abs(actual - expected) / Math.abs(expected);
  expect(error <= tolerance, `${what}: ${actual} instead of ${expected}`).toBe(true);
}

interface Compared {
  readonly name: string;
  readonly values: Float32Array;
  readonly expected: Digest;
  readonly tolerance: number;
}

/** The norm, one random projection and eight elements, each within the tolerance of the tensor's own size. */
function expectDigest(what: string, options: Compared): void {
  const { name, values, expected, tolerance } = options;
  const [norm = 0] = expected;
  const typical = norm / Math.sqrt(values.length);
  digest(name, values).forEach((number, index) => {
    const scale = index < 2 ? norm : Math.max(typical, Math.abs(expected[index] ?? 0));
    const error = Math.abs(number - (expected[index] ?? Number.NaN)) / scale;
    expect(
      error <= tolerance,
      `${what}: number ${index} is ${number} instead of ${expected[index]} (${error})`,
    ).toBe(true);
  });
}
