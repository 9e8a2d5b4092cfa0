import { describe, expect, it } from 'vitest';
import { createModel } from '../models/index.js';
import { Layers } from '../models/layers.js';
import { Graph } from './graph.js';
import { initialValues } from './initialize.js';

describe('initialValues', () => {
  const graph = modelGraph();
  const values = initialValues(graph, 7);

  it('covers every parameter and statistic in its size', () => {
    const expected = [...graph.values('parameter'), ...graph.values('statistic')];
    expect([...values.keys()]).toEqual(expected.map(({ name }) => name));
    expect(values.get('head.fc.weight')).toHaveLength(256 * 1024);
    expect(new Set(values.get('norm.running_var'))).toEqual(new Set([1]));
    expect(new Set(values.get('norm.weight'))).toEqual(new Set([1]));
    expect(new Set(values.get('head.fc.bias'))).toEqual(new Set([0]));
  });

  it('draws weights with the mean, deviation and tails of their normal distribution', () => {
    for (const { name, initializer } of graph.values('parameter')) {
      if (initializer?.kind !== 'normal') continue;
      const data = values.get(name) ?? new Float32Array();
      const n = data.length;
      const mean = data.reduce((sum, x) => sum + x, 0) / n;
      const std = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
      const outside = data.filter((x) => Math.abs(x) > 1.96 * initializer.std).length / n;
      // five standard errors of each estimate
      expect(Math.abs(mean), `mean of ${name}`).toBeLessThan((5 * initializer.std) / Math.sqrt(n));
      expect(Math.abs(std / initializer.std - 1), `deviation of ${name}`).toBeLessThan(5 / Math.sqrt(2 * n));
      expect(Math.abs(outside - 0.05), `tails of ${name}`).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / n));
    }
  });

  it('gives the same for a seed, another for another', () => {
    for (const [name, data] of initialValues(modelGraph(), 7))
      expect(same(data, values.get(name)), name).toBe(true);
    const others = initialValues(graph, 8);
    expect(correlation(values, others, 'head.fc.weight', 'head.fc.weight')).toBeLessThan(0.01);
    expect(initialValues(graph, 2 ** 40 + 7).get('stem.conv.weight')).not.toEqual(
      values.get('stem.conv.weight'),
    );
  });

  it('depends on the name, not on the layers around', () => {
    const small = new Graph();
    const rule = { kind: 'normal', std: 0.01 } as const;
    small.parameter('other', [5], rule, true);
    small.parameter('head.fc.weight', [256, 1024, 1, 1], rule, true);
    const drawn = initialValues(small, 7);
    expect(same(drawn.get('head.fc.weight'), values.get('head.fc.weight'))).toBe(true);
    const [one, two] = ['stages.3.blocks.0.conv1.weight', 'stages.3.blocks.1.conv2.weight'];
    expect(correlation(values, values, one, two)).toBeLessThan(0.01);
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => initialValues(graph, 0.5)).toThrow(RangeError);
  });
});

function modelGraph(): Graph {
  const graph = new Graph();
  const layers = new Layers(graph, { training: true });
  createModel({ name: 'resnet26' }).build(layers, graph.input('image', [2, 3, 64, 64]), 256);
  return graph;
}

function same(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  if (!a?.length || !b) throw new Error('no values');
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

function correlation(a: Map<string, Float32Array>, b: Map<string, Float32Array>, x = '', y = ''): number {
  const [p, q] = [a.get(x), b.get(y)];
  if (!p || !q) throw new Error(`no values of ${x} or ${y}`);
  const n = Math.min(p.length, q.length);
  const dot = (u: Float32Array, v: Float32Array) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (u[i] ?? 0) * (v[i] ?? 0);
    return sum;
  };
  return Math.abs(dot(p, q)) / Math.sqrt(dot(p, p) * dot(q, q));
}
