import { describe, expect, it } from 'vitest';
import { createModel, modelNames } from '../../models/index.js';
import { modelGraph } from './graph-def.js';
import type { NodeDef } from './messages.js';

const nodesOf = (name: string, size = 224): Map<string, NodeDef> => {
  const { node } = modelGraph(createModel({ name }), { size, classes: 10 });
  return new Map(node.map((each) => [each.name, each]));
};

const shapeOf = (node: NodeDef | undefined): number[] | undefined => {
  const { list } = (node?.attr._output_shapes ?? {}) as { list?: { shape?: { dim: { size: number }[] }[] } };
  return list?.shape?.[0]?.dim.map(({ size }) => size);
};

describe('modelGraph', () => {
  it('puts layers into boxes of stages and blocks', () => {
    const nodes = nodesOf('resnet26');
    const first = [...nodes.keys()].slice(0, 4);
    expect(first).toEqual(['image', 'stem/conv', 'stem/pool', 'stages.0/blocks.0/norm1']);
    const boxes = new Set([...nodes.keys()].map((name) => name.split('/')[0]));
    const stages = ['stages.0', 'stages.1', 'stages.2', 'stages.3'];
    expect([...boxes]).toEqual(['image', 'stem', ...stages, 'norm', 'relu', 'head', 'logits']);
    expect(nodes.get('logits')?.input).toEqual(['head/fc']);
  });

  it('gives each node the shape of what it makes, the batch unknown', () => {
    const nodes = nodesOf('resnet26');
    expect(shapeOf(nodes.get('image'))).toEqual([-1, 3, 224, 224]);
    expect(shapeOf(nodes.get('stem/pool'))).toEqual([-1, 64, 56, 56]);
    expect(shapeOf(nodes.get('stages.3/blocks.1/add'))).toEqual([-1, 1024, 7, 7]);
    expect(shapeOf(nodes.get('logits'))).toEqual([-1, 10]);
  });

  it('leads one edge into a block, also where two layers take it', () => {
    const nodes = nodesOf('resnet26');
    expect(nodes.get('stages.0/blocks.1/in')).toMatchObject({
      op: 'Identity',
      input: ['stages.0/blocks.0/add'],
    });
    expect(nodes.get('stages.0/blocks.1/norm1')?.input).toEqual(['stages.0/blocks.1/in']);
    expect(nodes.get('stages.0/blocks.1/add')?.input).toContain('stages.0/blocks.1/in');
    // the first block takes it once
    expect(nodes.has('stages.0/blocks.0/in')).toBe(false);
  });

  it('says what a layer is and what it has learned', () => {
    const conv = nodesOf('alexnet').get('features.0/conv');
    expect(conv).toMatchObject({ op: 'Conv2d', input: ['image'] });
    expect(conv?.attr).toMatchObject({ stride: { list: { i: [4, 4] } }, groups: { i: 1 } });
    expect(conv?.attr.weight).toEqual({ shape: { dim: [96, 3, 11, 11].map((size) => ({ size })) } });
  });

  it.each(modelNames())('draws %s: each input is a node before, each name stands once', (name) => {
    const { defaultSize } = createModel({ name });
    const { node } = modelGraph(createModel({ name }), { size: defaultSize, classes: 10 });
    const seen = new Set<string>();
    for (const each of node) {
      for (const input of each.input) if (!seen.has(input)) throw new Error(`${input} comes too late`);
      expect(shapeOf(each)?.[0]).toBe(-1);
      seen.add(each.name);
    }
    expect(seen.size).toBe(node.length);
    const boxes = [...seen].flatMap((path) => {
      const parts = path.split('/');
      return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
    });
    // no layer is also a box
    expect(boxes.filter((box) => seen.has(box))).toEqual([]);
  });
});
