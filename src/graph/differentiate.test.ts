import { describe, expect, it } from 'vitest';
import { createModel, modelNames } from '../models/index.js';
import { Layers } from '../models/layers.js';
import { differentiate } from './differentiate.js';
import { Graph, type Value } from './graph.js';
import { add } from './ops/add.js';
import { conv2d } from './ops/conv2d.js';
import { softmaxCrossEntropy } from './ops/loss.js';
import { relu } from './ops/relu.js';

const zero = { kind: 'constant', value: 0 } as const;
const window = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;

describe('differentiate', () => {
  it.each(modelNames().filter((name) => !name.includes('1001')))(
    'gives every parameter of %s its gradient',
    (name) => {
      const model = createModel({ name });
      const graph = new Graph();
      const layers = new Layers(graph, { training: true });
      const image = graph.input('image', [2, 3, model.defaultSize, model.defaultSize]);
      const logits = model.build(layers, image, 10);
      const inputs = [logits, graph.input('labels', [2], 'i32')];
      const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0 }, inputs, 'loss');
      const gradients = differentiate(graph, { loss });
      expect([...gradients.keys()].map((value) => value.name).sort()).toEqual(
        graph
          .values('parameter')
          .map((value) => value.name)
          .sort(),
      );
      for (const [value, gradient] of gradients) {
        expect(gradient.shape, value.name).toEqual(value.shape);
        expect(gradient.dtype, value.name).toBe('f32');
      }
      expectRunnable(graph);
    },
  );

  it('does not compute the gradient of the picture unless asked', () => {
    const { graph, x, loss } = twoConvolutions();
    differentiate(graph, { loss });
    expect(kinds(graph, 'conv2dBackwardInput')).toEqual(['second.backwardInput']);

    const asked = twoConvolutions();
    const gradients = differentiate(asked.graph, { loss: asked.loss, inputs: [asked.x] });
    expect(kinds(asked.graph, 'conv2dBackwardInput')).toEqual([
      'second.backwardInput',
      'first.backwardInput',
    ]);
    expect(gradients.get(asked.x)?.shape).toEqual(x.shape);
  });

  it('sums the gradients of a value that is read more than once', () => {
    const graph = new Graph();
    const x = graph.input('x', [1, 4]);
    const hidden = graph.apply1(relu, {}, [x], 'hidden');
    const left = graph.apply1(relu, {}, [hidden], 'left');
    const loss = graph.apply1(add, {}, [left, graph.apply1(add, {}, [hidden, hidden], 'twice')], 'loss');
    const seed = graph.input('seed', [1, 4]);
    const gradients = differentiate(graph, { loss, seed, inputs: [x] });
    expect(kinds(graph, 'add').filter((name) => name.endsWith('gradientSum'))).toHaveLength(2);
    // the seed takes the place of the ones that are made otherwise
    expect(kinds(graph, 'fill')).toEqual([]);
    expect(gradients.get(x)?.name).toBe('hidden.backward');
    expectRunnable(graph);
  });

  it('starts from one, in the shape of the loss', () => {
    const { graph, loss } = twoConvolutions();
    differentiate(graph, { loss });
    const [fill] = graph.nodes.filter((node) => node.kind === 'fill');
    expect(fill?.attributes).toEqual({ shape: loss.shape, value: 1 });
  });

  it('leaves alone what the loss does not depend on', () => {
    const { graph, loss } = twoConvolutions();
    const stray = graph.parameter('stray', [1, 3, 8, 8], zero, true);
    graph.apply1(relu, {}, [stray], 'unread');
    const gradients = differentiate(graph, { loss });
    expect(gradients.has(stray)).toBe(false);
    expect(kinds(graph, 'reluBackward')).toEqual([]);
  });
});

function twoConvolutions(): { graph: Graph; x: Value; loss: Value } {
  const graph = new Graph();
  const x = graph.input('x', [1, 3, 8, 8]);
  const first = graph.apply1(conv2d, window, [x, graph.parameter('w1', [3, 3, 3, 3], zero, true)], 'first');
  const loss = graph.apply1(
    conv2d,
    window,
    [first, graph.parameter('w2', [3, 3, 3, 3], zero, true)],
    'second',
  );
  return { graph, x, loss };
}

function kinds(graph: Graph, kind: string): string[] {
  return graph.nodes.filter((node) => node.kind === kind).map((node) => node.name);
}

/** Every value is made before it is read. */
function expectRunnable(graph: Graph): void {
  const ready = new Set<Value>(
    (['input', 'parameter', 'statistic'] as const).flatMap((role) => graph.values(role)),
  );
  for (const node of graph.nodes) {
    for (const input of node.inputs) expect(ready.has(input), `${node.name} reads ${input.name}`).toBe(true);
    for (const output of node.outputs) ready.add(output);
  }
}
