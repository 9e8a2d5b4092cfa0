import { describe, expect, it } from 'vitest';
import { createModel, modelNames } from '../models/index.js';
import { Layers } from '../models/layers.js';
import { differentiate } from './differentiate.js';
import { fuse } from './fuse.js';
import { Graph, type Node, type Value } from './graph.js';
import { add } from './ops/add.js';
import { batchNormInference } from './ops/batch-norm.js';
import { isNode } from './ops/index.js';
import { softmaxCrossEntropy } from './ops/loss.js';
import { sgd } from './ops/optimizers.js';
import { relu } from './ops/relu.js';

describe('fuse, resnet26 in training', () => {
  const graph = trainingGraph('resnet26');
  const fused = fuse(graph);

  it('joins batch norm and ReLU both ways and the residual sums with their convolutions', () => {
    expect(counts(graph)).toMatchObject({
      conv2d: 29,
      batchNorm: 25,
      relu: 25,
      add: 8 + 8,
      reluBackward: 25,
      batchNormBackward: 25,
    });
    const after = counts(fused);
    expect(after).toMatchObject({
      conv2d: 29,
      batchNorm: 25,
      batchNormBackward: 25,
      sgd: 1,
      updateStatistics: 1,
    });
    expect(after).not.toHaveProperty('relu');
    expect(after).not.toHaveProperty('reluBackward');
    // what stays are the sums of gradients: of the pre-activation at a projection, of the input at an identity
    expect(adds(fused).every((name) => name.endsWith('.gradientSum'))).toBe(true);
    expect(adds(fused)).toHaveLength(8);
    expect(fused.nodes.filter((node) => isNode(node, 'conv2d') && node.attributes.residual)).toHaveLength(8);
  });

  it('hands the note of what passed from each norm to its backward pass', () => {
    for (const node of fused.nodes.filter((each) => isNode(each, 'batchNormBackward'))) {
      expect(node.attributes.relu).toBe(true);
      const passed = node.inputs[5];
      const norm = fused.nodes.find((each) => passed && each.outputs.includes(passed));
      expect(norm?.kind).toBe('batchNorm');
      expect(norm?.outputs.indexOf(passed as Value)).toBe(3);
      expect(norm?.outputs[1]).toBe(node.inputs[2]);
    }
  });
});

describe('fuse, resnet26 in inference', () => {
  const graph = inferenceGraph('resnet26');
  const fused = fuse(graph);

  it('folds the norms that follow a convolution and joins the others with their ReLU', () => {
    expect(counts(graph)).toMatchObject({ conv2d: 29, batchNormInference: 25, relu: 25, add: 8 });
    expect(counts(fused)).toEqual({
      conv2d: 29,
      foldBatchNorm: 16,
      batchNormInference: 9,
      maxPool: 1,
      globalAvgPool: 1,
      flatten: 1,
      linear: 1,
    });
    const convolutions = fused.nodes.filter((node) => isNode(node, 'conv2d'));
    expect(convolutions.filter(({ attributes }) => attributes.relu)).toHaveLength(16);
    expect(convolutions.filter(({ attributes }) => attributes.residual)).toHaveLength(8);
  });
});

it('joins convolution and ReLU in the bn-conv-relu form, and then not the sum behind the ReLU', () => {
  const fused = fuse(trainingGraph('resnet26-bn-conv-relu'));
  const convolutions = fused.nodes.filter((node) => isNode(node, 'conv2d'));
  expect(counts(fused)).not.toHaveProperty('relu');
  expect(counts(fused)).toMatchObject({ reluBackward: 25 });
  expect(convolutions.filter(({ attributes }) => attributes.relu)).toHaveLength(25);
  // at a projection the sum goes into the shortcut's convolution
  const residual = convolutions.filter(({ attributes }) => attributes.residual);
  expect(residual.map(({ name }) => name)).toEqual(
    [0, 1, 2, 3].map((stage) => `stages.${stage}.blocks.0.shortcut.conv`),
  );
  expect(residual.some(({ attributes }) => attributes.relu)).toBe(false);
});

describe.each(modelNames())('fuse, %s', (name) => {
  it.each([
    ['training', trainingGraph],
    ['inference', inferenceGraph],
  ])('leaves a graph that can run, with the same outputs: %s', (_, make) => {
    const graph = make(name);
    const fused = fuse(graph);
    expectRunnable(fused);
    expect(fused.outputs).toEqual(graph.outputs);
    const unread = fused.nodes.filter(
      ({ outputs }) => outputs.length && !outputs.some((value) => isRead(fused, value)),
    );
    expect(unread).toEqual([]);
    expect(fuse(fused).nodes).toEqual(fused.nodes);
  });
});

describe('fuse leaves apart', () => {
  it('a convolution and a ReLU or norm or sum when the value between them is read twice', () => {
    const patterns = [
      (layers: Layers, hidden: Value) => layers.relu('second', hidden),
      (layers: Layers, hidden: Value) => layers.batchNorm('second', hidden),
      (layers: Layers, hidden: Value, x: Value) => layers.add('second', hidden, x),
    ];
    for (const second of patterns) {
      const { graph, layers, x, hidden } = oneConvolution();
      graph.output('y', layers.add('sum', layers.prelu('other', hidden), second(layers, hidden, x)));
      expect(fuse(graph).nodes.map(({ kind }) => kind)).toEqual(graph.nodes.map(({ kind }) => kind));
    }
  });

  it('the same when the value between them is an output', () => {
    const patterns = [
      (layers: Layers, hidden: Value) => layers.relu('second', hidden),
      (layers: Layers, hidden: Value) => layers.batchNorm('second', hidden),
      (layers: Layers, hidden: Value, x: Value) => layers.add('second', hidden, x),
    ];
    for (const second of patterns) {
      const { graph, layers, x, hidden } = oneConvolution();
      graph.output('hidden', hidden);
      graph.output('y', second(layers, hidden, x));
      expect(fuse(graph).nodes.map(({ kind }) => kind)).toEqual(graph.nodes.map(({ kind }) => kind));
    }
  });

  it('a norm and a ReLU when the normalised value is read twice or is an output', () => {
    for (const training of [true, false]) {
      for (const read of [true, false]) {
        const graph = new Graph();
        const layers = new Layers(graph, { training });
        const normal = layers.batchNorm('norm', graph.input('x', [2, 4, 8, 8]));
        const activated = layers.relu('relu', normal);
        if (read) graph.output('y', layers.add('sum', normal, activated));
        else {
          graph.output('normal', normal);
          graph.output('y', activated);
        }
        expect(fuse(graph).nodes.map(({ kind }) => kind)).toEqual(graph.nodes.map(({ kind }) => kind));
      }
    }
  });

  it('a convolution that is added to itself', () => {
    const { graph, layers, hidden } = oneConvolution();
    graph.output('y', layers.add('twice', hidden, hidden));
    expect(fuse(graph).nodes.map(({ kind }) => kind)).toEqual(['conv2d', 'add']);
  });

  it('a second sum from a convolution that took one', () => {
    const { graph, layers, x, hidden } = oneConvolution();
    graph.output('y', layers.add('second', layers.add('first', hidden, x), x));
    const fused = fuse(graph);
    expect(fused.nodes.map(({ kind, name }) => [kind, name])).toEqual([
      ['conv2d', 'conv'],
      ['add', 'second'],
    ]);
  });
});

it('removes chains of nodes that nobody reads', () => {
  const graph = new Graph();
  const x = graph.input('x', [1, 4]);
  let unread = x;
  for (let index = 0; index < 50_000; index++) unread = graph.apply1(relu, {}, [unread], `unread${index}`);
  graph.output('y', graph.apply1(add, {}, [x, x], 'y'));
  expect(fuse(graph).nodes.map(({ name }) => name)).toEqual(['y']);
});

it('keeps the folded norm in its own parameters, so that one training program feeds many others', () => {
  const { graph, layers, hidden } = oneConvolution();
  graph.output('y', layers.batchNorm('norm', hidden));
  const fused = fuse(graph);
  const [fold, conv] = fused.nodes;
  expect(fold?.inputs.map(({ name }) => name)).toEqual([
    'conv.weight',
    'norm.weight',
    'norm.bias',
    'norm.running_mean',
    'norm.running_var',
  ]);
  expect(conv?.inputs.slice(1)).toEqual(fold?.outputs);
  expect(fold?.attributes).toEqual({ epsilon: 1e-5, bias: false });
  expect(graph.nodes.some((node) => node.kind === batchNormInference.kind)).toBe(true);
});

function oneConvolution(): { graph: Graph; layers: Layers; x: Value; hidden: Value } {
  const graph = new Graph();
  const layers = new Layers(graph, { training: false });
  const x = graph.input('x', [2, 4, 8, 8]);
  return { graph, layers, x, hidden: layers.conv('conv', x, { out: 4, kernel: 3, padding: 1 }) };
}

function trainingGraph(name: string): Graph {
  const { graph, layers, logits } = modelGraph(name, true);
  const inputs = [logits, graph.input('labels', [2], 'i32')];
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0 }, inputs, 'loss');
  const gradients = differentiate(graph, { loss });
  layers.updateStatistics();
  const scalars = ['learningRate', 'momentum', 'weightDecay'].map((scalar) => graph.input(scalar, [1]));
  graph.apply(sgd, { nesterov: true }, [...scalars, ...[...gradients].flat()], 'sgd');
  graph.output('loss', loss);
  return graph;
}

function inferenceGraph(name: string): Graph {
  const { graph, logits } = modelGraph(name, false);
  graph.output('logits', logits);
  return graph;
}

function modelGraph(name: string, training: boolean): { graph: Graph; layers: Layers; logits: Value } {
  const model = createModel({ name });
  const graph = new Graph();
  const layers = new Layers(graph, { training });
  const image = graph.input('image', [2, 3, model.defaultSize, model.defaultSize]);
  return { graph, layers, logits: model.build(layers, image, 10) };
}

function counts(graph: Graph): Record<string, number> {
  const result: Record<string, number> = {};
  for (const { kind } of graph.nodes) result[kind] = (result[kind] ?? 0) + 1;
  return result;
}

function adds(graph: Graph): string[] {
  return graph.nodes.filter((node: Node) => node.kind === 'add').map(({ name }) => name);
}

function isRead(graph: Graph, value: Value): boolean {
  return (
    [...graph.outputs.values()].includes(value) || graph.nodes.some(({ inputs }) => inputs.includes(value))
  );
}

/** Every value is made once, before it is read. */
function expectRunnable(graph: Graph): void {
  const ready = new Set<Value>(
    (['input', 'parameter', 'statistic'] as const).flatMap((role) => graph.values(role)),
  );
  for (const node of graph.nodes) {
    const early = node.inputs.filter((input) => !ready.has(input));
    if (early.length)
      expect.fail(`${node.name} reads ${early.map((value) => value.name)} before they are made`);
    for (const output of node.outputs) {
      if (ready.has(output)) expect.fail(`${output.name} is made twice`);
      ready.add(output);
    }
  }
  for (const [name, value] of graph.outputs) expect(ready.has(value), `output ${name}`).toBe(true);
}
