import { Graph, type Node, type TensorType, type Value } from '../../graph/graph.js';
import { typeOf } from '../../graph/summary.js';
import { Layers } from '../../models/layers.js';
import type { Model } from '../../models/model.js';
import { type AttrValue, dataType, type GraphDef, type NodeDef, type Shape } from './messages.js';

/** A producer number from which on TensorBoard reads the fields that are used here. */
const producer = 22;

/**
 * A model as TensorBoard's Graphs page draws it: a box for each stage and block, layers within, and the shape of
 * what flows on each edge (`?` is the batch).
 */
export function modelGraph(model: Model, options: { size: number; classes: number }): GraphDef {
  const { size, classes } = options;
  const graph = new Graph();
  const image = graph.input('image', [1, 3, size, size]);
  graph.output('logits', model.build(new Layers(graph, { training: false }), image, classes));
  return graphDef(graph);
}

/** @param graph of an inference; the first extent of each computed value is taken for the batch */
export function graphDef(graph: Graph): GraphDef {
  const makers = new Map<number, string>();
  const inputs = graph.values('input').map((value): NodeDef => {
    const name = boxName(value.name);
    makers.set(value.id, name);
    return { name, op: 'Input', input: [], attr: { _output_shapes: shapes([value]), ...dtype } };
  });
  const nodes = graph.nodes.map((node) => layerNode(node, makers));
  const outputs = [...graph.outputs].map(
    ([name, value]): NodeDef => ({
      name: boxName(name),
      op: 'Output',
      input: maker(makers, value),
      attr: { _output_shapes: shapes([value]), ...dtype },
    }),
  );
  return { node: [...inputs, ...nodes, ...outputs], versions: { producer } };
}

const dtype = { T: { type: dataType.float } };

function layerNode(node: Node, makers: Map<number, string>): NodeDef {
  const name = boxName(node.name);
  node.outputs.forEach(({ id }, index) => {
    makers.set(id, index > 0 ? `${name}:${index}` : name);
  });
  const learned = node.inputs.filter(({ role }) => role === 'parameter' || role === 'statistic');
  const own = learned.map((value) => [lastPart(value.name), { shape: shape(value) }] as const);
  return {
    name,
    op: typeOf(node),
    input: node.inputs.flatMap((value) => maker(makers, value)),
    attr: {
      _output_shapes: shapes(node.outputs),
      ...dtype,
      ...attributes(node.attributes),
      ...Object.fromEntries(own),
    },
  };
}

/** `stages.0.blocks.1.conv2` as `stages.0/blocks.1/conv2`: a number stays with what it counts. */
function boxName(name: string): string {
  return name.replaceAll(/\.(?!\d)/g, '/');
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** The node that makes a value; nothing for parameters, which are shown as attributes of their layer. */
function maker(makers: ReadonlyMap<number, string>, value: Value): string[] {
  const name = makers.get(value.id);
  return name === undefined ? [] : [name];
}

function shapes(values: readonly TensorType[]): AttrValue {
  const batches = values.map(({ shape: [, ...rest] }) => toShape([-1, ...rest]));
  return { list: { shape: batches } };
}

function shape(value: TensorType): Shape {
  return toShape(value.shape);
}

function toShape(extents: readonly number[]): Shape {
  return { dim: extents.map((size) => ({ size })) };
}

function attributes(given: unknown): Record<string, AttrValue> {
  const entries = Object.entries(given as Readonly<Record<string, unknown>>);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const attribute = attributeOf(value);
      return attribute ? [[name, attribute] as const] : [];
    }),
  );
}

function attributeOf(value: unknown): AttrValue | undefined {
  if (typeof value === 'boolean') return { b: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { i: value } : { f: value };
  if (typeof value === 'string') return { s: new TextEncoder().encode(value) };
  if (Array.isArray(value) && value.every((each) => Number.isInteger(each))) return { list: { i: value } };
  return undefined;
}
