import { Graph, type Node, type TensorType, type Value } from '../../graph/graph.js';
import { outermostScope, typeOf } from '../../graph/summary.js';
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

/** Name of the node that makes a value; undefined for what a layer keeps itself. */
type FindMaker = (value: Value) => string | undefined;

/** @param graph of an inference; the first extent of each computed value is taken for the batch */
export function graphDef(graph: Graph): GraphDef {
  const makers = new Map<Value, string>();
  const findMaker: FindMaker = (value) => makers.get(value);
  const inputs = graph.values('input').map((value) => {
    makers.set(value, boxName(value.name));
    return passing(boxName(value.name), 'Input', value);
  });
  const nodes = blocksOf(graph).flatMap(({ path, nodes }) => {
    const entries = path === undefined ? [] : entriesOf(nodes);
    const doors = new Map(
      entries.map((value, index) => [value, `${boxName(path ?? '')}/in${index > 0 ? index : ''}`]),
    );
    const passed = [...doors].map(([value, name]) => passing(name, 'Identity', value, findMaker));
    const layers = nodes.map((node) => {
      const layer = layerNode(node, (value) => doors.get(value) ?? findMaker(value));
      node.outputs.forEach((value, index) => {
        makers.set(value, index > 0 ? `${layer.name}:${index}` : layer.name);
      });
      return layer;
    });
    return [...passed, ...layers];
  });
  const outputs = [...graph.outputs].map(([name, value]) =>
    passing(boxName(name), 'Output', value, findMaker),
  );
  return { node: [...inputs, ...nodes, ...outputs], versions: { producer } };
}

/** Nodes that follow one another in one module, or outside all. */
function blocksOf(graph: Graph): Array<{ path: string | undefined; nodes: Node[] }> {
  const blocks: Array<{ path: string | undefined; nodes: Node[] }> = [];
  for (const node of graph.nodes) {
    const path = outermostScope(graph, node.name)?.path;
    const last = blocks.at(-1);
    if (last && last.path === path) last.nodes.push(node);
    else blocks.push({ path, nodes: [node] });
  }
  return blocks;
}

/**
 * What comes into a module and is used more than once there. It gets a node of its own: one edge with a shape
 * leads into the box, where TensorBoard would write "2 tensors".
 */
function entriesOf(nodes: readonly Node[]): Value[] {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const used = nodes.flatMap(({ inputs }) => inputs).filter((value) => !isOwn(value) && !made.has(value));
  return [...new Set(used.filter((value, index) => used.indexOf(value) !== index))];
}

const dtype = { T: { type: dataType.float } };

/** A node that hands on a value. */
function passing(name: string, op: string, value: Value, findMaker: FindMaker = () => undefined): NodeDef {
  const input = makersOf([value], findMaker);
  return { name, op, input, attr: { _output_shapes: shapes([value]), ...dtype } };
}

function layerNode(node: Node, findMaker: FindMaker): NodeDef {
  const name = boxName(node.name);
  const own = node.inputs
    .filter(isOwn)
    .map((value) => [lastPart(value.name), { shape: shape(value) }] as const);
  return {
    name,
    op: typeOf(node),
    input: makersOf(node.inputs, findMaker),
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

/** Kept by the layer, and no part of what flows. */
function isOwn({ role }: Value): boolean {
  return role === 'parameter' || role === 'statistic';
}

function makersOf(values: readonly Value[], findMaker: FindMaker): string[] {
  return values.flatMap((value) => findMaker(value) ?? []);
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
