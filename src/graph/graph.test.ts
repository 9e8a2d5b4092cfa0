import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { elements, Graph, sameShape, shapeText } from './graph.js';
import { add } from './ops/add.js';
import { conv2d } from './ops/conv2d.js';
import { flatten } from './ops/flatten.js';
import { linear } from './ops/linear.js';
import { softmaxCrossEntropy } from './ops/loss.js';
import { maxPool } from './ops/pool.js';
import { relu } from './ops/relu.js';

const zero = { kind: 'constant', value: 0 } as const;
const window = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const;

describe('Graph', () => {
  it('names values by the scope that they are made in', () => {
    const graph = new Graph();
    const x = graph.input('image', [1, 3, 8, 8]);
    const y = graph.scope('stages.0', 'Stage', () =>
      graph.scope('block', 'Block', () => {
        graph.parameter('conv.weight', [4, 3, 1, 1], zero, true);
        return graph.apply1(relu, {}, [x], 'relu');
      }),
    );
    expect(y.name).toBe('stages.0.block.relu');
    expect(graph.nodes[0]?.name).toBe('stages.0.block.relu');
    expect(graph.values('parameter').map(({ name }) => name)).toEqual(['stages.0.block.conv.weight']);
    expect([...graph.scopes.values()]).toEqual([
      { path: 'stages.0', type: 'Stage' },
      { path: 'stages.0.block', type: 'Block' },
    ]);
    expect(graph.path('after')).toBe('after');
  });

  it('leaves a scope when its building fails', () => {
    const graph = new Graph();
    const fail = () =>
      graph.scope('block', 'Block', () => {
        throw new Error('no');
      });
    expect(fail).toThrow('no');
    expect(graph.path('x')).toBe('x');
  });

  it('keeps inputs, parameters and statistics in the order of their making, one of each name', () => {
    const graph = new Graph();
    graph.parameter('b', [2], zero, false);
    graph.statistic('mean', [2], 0);
    graph.parameter('a', [3], zero, true);
    graph.input('image', [1, 2, 1, 1]);
    expect(graph.values('parameter').map(({ name, decays }) => [name, decays])).toEqual([
      ['b', false],
      ['a', true],
    ]);
    expect(graph.values('statistic').map(({ initializer }) => initializer)).toEqual([zero]);
    expect(graph.values('input')).toHaveLength(1);
    expect(() => graph.input('a', [1])).toThrow("two values named 'a'");
  });

  it('gives immutable nodes and values with numbers of their own', () => {
    const graph = new Graph();
    const x = graph.input('x', [1, 2]);
    const [y, ...more] = graph.apply(maxPool, pooling(true), [graph.input('image', [1, 2, 4, 4])], 'pool');
    expect(Object.isFrozen(x) && Object.isFrozen(graph.nodes[0])).toBe(true);
    expect(more.map(({ name, dtype }) => [name, dtype])).toEqual([['pool:1', 'opaque']]);
    expect(new Set([x, y, ...more].map((value) => value?.id)).size).toBe(3);
  });

  it('copies everything but the nodes for a pass, and goes on counting', () => {
    const graph = new Graph();
    const x = graph.input('x', [1, 2]);
    graph.scope('m', 'Module', () => graph.output('y', graph.apply1(relu, {}, [x], 'y')));
    const copy = new Graph();
    copy.adoptDeclarations(graph);
    expect(copy.nodes).toEqual([]);
    expect(copy.values('input')).toEqual([x]);
    expect(copy.outputs).toEqual(graph.outputs);
    expect(copy.scopes).toEqual(graph.scopes);
    expect(copy.fresh('z', { shape: [1], dtype: 'f32' }).id).toBeGreaterThan(graph.outputs.get('y')?.id ?? 0);
  });
});

describe('shapes', () => {
  it('are counted, compared and written', () => {
    expect(elements({ shape: [2, 3, 4] })).toBe(24);
    expect(elements({ shape: [] })).toBe(1);
    expect(shapeText({ shape: [32, 3, 224, 224] })).toBe('32x3x224x224');
    expect(shapeText({ shape: [] })).toBe('scalar');
    expect(sameShape({ shape: [2, 3], dtype: 'f32' }, { shape: [2, 3], dtype: 'i32' })).toBe(true);
    expect(sameShape({ shape: [2, 3], dtype: 'f32' }, { shape: [2, 3, 1], dtype: 'f32' })).toBe(false);
  });

  it('follow from the window: stride, padding, dilation', () => {
    const graph = new Graph();
    const x = graph.input('image', [2, 4, 9, 11]);
    const weight = graph.parameter('weight', [6, 2, 3, 3], zero, true);
    const attributes = { stride: [2, 1], padding: [1, 2], dilation: [1, 3], groups: 2 } as const;
    expect(graph.apply1(conv2d, attributes, [x, weight], 'conv').shape).toEqual([2, 6, 5, 9]);
  });
});

describe('a shape error names the layer, both shapes and the mend', () => {
  const cases: ReadonlyArray<readonly [string, (graph: Graph) => unknown, RegExp, RegExp]> = [
    [
      'channels',
      (graph) =>
        graph.apply1(
          conv2d,
          window,
          [picture(graph, 3, 8), graph.parameter('w', [4, 2, 3, 3], zero, true)],
          'conv',
        ),
      /layer 'net\.conv'.*1x3x8x8.*4x2x3x3/,
      /3 input channels/,
    ],
    [
      'a kernel larger than the picture',
      (graph) =>
        graph.apply1(
          conv2d,
          window,
          [picture(graph, 3, 2), graph.parameter('w', [4, 3, 3, 3], zero, true)],
          'conv',
        ),
      /layer 'net\.conv'.*3x3.*2x2/,
      /larger pictures/,
    ],
    [
      'a sum of two shapes',
      (graph) => graph.apply1(add, {}, [picture(graph, 3, 8), graph.input('other', [1, 3, 4, 4])], 'sum'),
      /layer 'net\.sum'.*1x3x8x8.*1x3x4x4/,
      /shortcut/,
    ],
    [
      'features of another picture size',
      (graph) => {
        const x = graph.apply1(flatten, {}, [picture(graph, 3, 8)], 'flatten');
        return graph.apply1(linear, {}, [x, graph.parameter('w', [10, 100], zero, true)], 'fc');
      },
      /layer 'net\.fc'.*1x192.*10x100/,
      /192 input features/,
    ],
    [
      'pictures where vectors belong',
      (graph) =>
        graph.apply1(linear, {}, [picture(graph, 3, 8), graph.parameter('w', [10, 192], zero, true)], 'fc'),
      /layer 'net\.fc'.*NxC.*1x3x8x8/,
      /flatten/,
    ],
    [
      'padding of more than half a pooling',
      (graph) =>
        graph.apply1(maxPool, { ...pooling(false), padding: [2, 2] }, [picture(graph, 3, 8)], 'pool'),
      /layer 'net\.pool'.*2x2.*3x3/,
      /less padding/,
    ],
    [
      'labels of another batch',
      (graph) => {
        const inputs = [graph.input('scores', [4, 10]), graph.input('labels', [3], 'i32')];
        return graph.apply(softmaxCrossEntropy, { labelSmoothing: 0 }, inputs, 'loss');
      },
      /layer 'net\.loss'.*\b3 .*4x10/,
      /each of the 4 rows/,
    ],
  ];

  it.each(cases)('%s', (_, build, message, hint) => {
    const graph = new Graph();
    try {
      graph.scope('net', 'Net', () => build(graph));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      expect(error.message).toMatch(message);
      expect(error.hint).toMatch(hint);
      return;
    }
    expect.fail('nothing was thrown');
  });
});

function picture(graph: Graph, channels: number, size: number) {
  return graph.input('image', [1, channels, size, size]);
}

function pooling(training: boolean) {
  return { kernel: [3, 3], stride: [2, 2], padding: [1, 1], training } as const;
}
