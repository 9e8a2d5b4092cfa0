import { describe, expect, it } from 'vitest';
import { createModel } from '../models/index.js';
import { Layers } from '../models/layers.js';
import { Optimizer } from '../train/optimizers/index.js';
import type { Precision } from '../train/precision/precision.js';
import { inferenceGraph, trainingGraph } from '../train/training-graph.js';
import { autocast } from './autocast.js';
import { Graph, type Node } from './graph.js';
import { conv2d } from './ops/conv2d.js';
import { summarize } from './summary.js';

const resnet = createModel({
  family: 'resnet',
  stages: [
    [16, 1],
    [32, 1],
  ],
});
const place = { batchSize: 4, classes: 5, height: 32, width: 32 };

function training(precision: Precision, name?: string): Graph {
  const model = name ? createModel({ name }) : resnet;
  const size = name ? { height: model.defaultSize, width: model.defaultSize } : {};
  return trainingGraph(model, { ...place, ...size, precision, optimizer: new Optimizer({ kind: 'sgd' }) });
}

function types(nodes: readonly Node[], kind: string): string[] {
  const found = nodes.filter((node) => node.kind === kind);
  const text = ({ inputs, outputs }: Node): string =>
    `${inputs.map(({ dtype }) => dtype)} -> ${outputs.map(({ dtype }) => dtype)}`;
  return [...new Set(found.map(text))].sort();
}

describe('autocast', () => {
  it.each([
    ['bf16', 'bf16'],
    ['fp16', 'f16'],
  ] as const)('gives every operation of a training its types in %s', (precision, half) => {
    const { nodes } = training(precision);
    expect(types(nodes, 'conv2d')).toEqual([
      `${half},${half} -> ${half}`,
      `${half},${half},${half} -> ${half}`,
    ]);
    expect(types(nodes, 'conv2dBackwardInput')).toEqual([`${half},${half} -> ${half}`]);
    expect(types(nodes, 'conv2dBackwardWeight')).toEqual([`${half},${half} -> f32`]);
    expect(types(nodes, 'batchNorm')).toEqual([`${half},f32,f32 -> ${half},f32,f32,opaque`]);
    expect(types(nodes, 'batchNormBackward')).toEqual([
      `${half},${half},f32,f32,f32,opaque -> ${half},f32,f32`,
    ]);
    expect(types(nodes, 'linear')).toEqual([`${half},${half},${half} -> ${half}`]);
    expect(types(nodes, 'linearBackwardWeight')).toEqual([`${half},${half} -> f32,f32`]);
    expect(types(nodes, 'maxPool')).toEqual([`${half} -> ${half},opaque`]);
    expect(types(nodes, 'add')).toEqual([`${half},${half} -> ${half}`]);
    expect(types(nodes, 'softmaxCrossEntropy')).toEqual(['f32,i32 -> f32,f32']);
    expect(types(nodes, 'updateStatistics')[0]).not.toContain(half);
    expect(types(nodes, 'sgd')[0]).not.toContain(half);
  });

  it('casts each weight once, and nothing twice', () => {
    const { nodes } = training('bf16');
    const casts = nodes.filter(({ kind }) => kind === 'cast');
    const weights = new Set(nodes.filter(({ kind }) => kind === 'conv2d').map(({ inputs }) => inputs[1]));
    const made = casts.filter(({ outputs: [output] }) => output && weights.has(output));
    expect(made).toHaveLength(weights.size);
    // weights, the pictures, weight and bias of the last layer, the logits and their gradient
    expect(casts).toHaveLength(weights.size + 5);
  });

  it('leaves a graph in fp32 without casts', () => {
    expect(training('fp32').nodes.some(({ kind }) => kind === 'cast')).toBe(false);
  });

  it.each(['alexnet', 'vgg13', 'zfnet'])('goes through %s', (name) => {
    const kinds = training('bf16', name).nodes.filter(({ outputs }) =>
      outputs.some(({ dtype, shape }) => dtype === 'f32' && shape.length === 4 && shape[0] === 4),
    );
    expect(kinds).toEqual([]);
  });

  it('folds batch norms in fp32 and casts what comes of it', () => {
    const { nodes, outputs } = inferenceGraph(resnet, { ...place, precision: 'bf16' });
    const folds = nodes.filter(({ kind }) => kind === 'foldBatchNorm');
    expect(folds.length).toBeGreaterThan(2);
    expect(types(nodes, 'foldBatchNorm')).toEqual(['f32,f32,f32,f32,f32 -> f32,f32']);
    expect(types(nodes, 'conv2d').every((text) => !text.includes('f32'))).toBe(true);
    expect(outputs.get('logits')?.dtype).toBe('f32');
  });

  it('halves what a backward pass has to keep', () => {
    const forward = (): Graph => {
      const graph = new Graph();
      resnet.build(new Layers(graph, { training: true }), graph.input('image', [4, 3, 32, 32]), 5);
      return graph;
    };
    const [full, half] = [summarize(forward()), summarize(autocast(forward(), 'bf16'))];
    expect(half.parameters).toBe(full.parameters);
    expect(half.flops).toBe(full.flops);
    // the casts of picture and weights are results too
    expect(half.activationBytes / full.activationBytes).toBeLessThan(0.6);
  });

  it('has no rule for gradients', () => {
    expect(() => autocast(training('fp32'), 'bf16')).toThrow(
      "no rule of mixed precision for 'softmaxCrossEntropyBackward",
    );
  });

  it('is what mixes types: an operation refuses to', () => {
    const graph = new Graph();
    const [x, weight] = [graph.input('x', [1, 3, 8, 8], 'bf16'), graph.input('weight', [4, 3, 3, 3])];
    const attributes = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;
    expect(() => graph.apply1(conv2d, attributes, [x, weight], 'conv')).toThrow(/mixes bf16 and f32/);
  });
});
