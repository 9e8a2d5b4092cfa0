import { describe, expect, it } from 'vitest';
import { createModel } from '../models/index.js';
import { Optimizer } from '../train/optimizers/index.js';
import { trainingGraph } from '../train/training-graph.js';
import type { Graph, Node, Value } from './graph.js';
import { overlap } from './overlap.js';

const size = { batchSize: 2, classes: 10, height: 64, width: 64 };
const optimizer = new Optimizer({ kind: 'sgd' });
const model = createModel({ name: 'resnet26' });

function graphOf(options: { overlap?: boolean; accumulate?: number; replicas?: number }): Graph {
  return trainingGraph(model, { ...size, optimizer, replicas: 2, overlap: true, ...options });
}

const kinds = (graph: Graph, kind: string): Node[] => graph.nodes.filter((node) => node.kind === kind);

/** Where each value is made. */
function makers(graph: Graph): Map<Value, number> {
  return new Map(
    graph.nodes.flatMap(({ outputs }, index) => outputs.map((output) => [output, index] as const)),
  );
}

describe('sums beside the backward pass', () => {
  it('begin right behind the last gradient that they take', () => {
    const graph = graphOf({});
    const madeAt = makers(graph);
    const begins = kinds(graph, 'beginAllReduce');
    expect(begins.length).toBeGreaterThan(5);
    for (const begin of begins) {
      const last = Math.max(...begin.inputs.map((value) => madeAt.get(value) ?? 0));
      const between = graph.nodes.slice(last + 1, graph.nodes.indexOf(begin));
      expect(between.every(({ kind }) => kind === 'beginAllReduce')).toBe(true);
    }
    // the last stages hold most weights, and their gradients come first
    const [first, second] = begins.map((begin) => graph.nodes.indexOf(begin));
    const backward = graph.nodes.findIndex(({ kind }) => kind.endsWith('Backward'));
    const half = (backward + graph.updateStart) / 2;
    expect(first).toBeLessThan(half);
    expect(second).toBeLessThan(half);
  });

  it('are waited for as the first thing of the update, and no gradient is left out', () => {
    const graph = graphOf({});
    expect(graph.nodes[graph.updateStart]?.kind).toBe('finishAllReduce');
    const summed = kinds(graph, 'beginAllReduce').flatMap(({ inputs }) =>
      inputs.filter((_, index) => index % 2 === 0),
    );
    expect(new Set(summed)).toEqual(new Set(graph.values('parameter')));
    expect(summed).toHaveLength(graph.values('parameter').length);
  });

  it('leave the order of all other nodes as it was', () => {
    const plain = graphOf({ overlap: false });
    const others = graphOf({}).nodes.filter(({ kind }) => !kind.endsWith('AllReduce'));
    const before = plain.nodes.filter(({ kind }) => kind !== 'allReduceGradients');
    expect(others.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    expect(overlap(plain)).toBe(plain);
  });

  it.each([{ accumulate: 2 }, { replicas: 1 }, { overlap: false }])('there are none with %j', (options) => {
    expect(kinds(graphOf(options), 'beginAllReduce')).toEqual([]);
  });
});
