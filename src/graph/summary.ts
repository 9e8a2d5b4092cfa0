import { elementSize, elements, type Graph, type Node, type Value } from './graph.js';
import { isNode, type OperationKind } from './ops/index.js';
import type { Pair } from './ops/window.js';

/** One line of the layer table: a module, or one layer. Extents have no batch axis. */
export interface SummaryRow {
  /** Path in the model, e.g. `stages.0.blocks.1`; its tensors' names start with it. */
  readonly name: string;
  /** What a reader calls it, e.g. `ResNetBottleNeck` or `MaxPool2d`. */
  readonly type: string;
  /** CxHxW, or [C] for vectors. */
  readonly output: readonly number[];
  /** Of the only convolution or pooling in the row; absent where there are none or several. */
  readonly window?: { readonly kernel: Pair; readonly stride: Pair; readonly padding: Pair };
  /** Output channels of the only convolution in the row. */
  readonly kernels?: number;
  readonly parameters: number;
  /** Forward, for one picture. */
  readonly flops: number;
}

export interface Summary {
  /** CxHxW of the pictures. */
  readonly input: readonly number[];
  readonly rows: readonly SummaryRow[];
  /** Learned numbers; all of them are trained. */
  readonly parameters: number;
  /** Running means and variances: kept in a checkpoint, but not learned. */
  readonly statistics: number;
  /** Floating-point operations of one picture forward; a multiply-add counts as two. */
  readonly flops: number;
  /** Multiply-adds of the convolutions and linear layers alone, the figure that papers give. */
  readonly multiplyAdds: number;
  /** Bytes of all layers' results for one picture: what a backward pass has to keep, before any fusion. */
  readonly activationBytes: number;
}

/** Names by which people know the operations; others go by their kind. */
const types: Partial<Record<OperationKind, string>> = {
  add: 'Add',
  avgPool: 'AvgPool2d',
  batchNorm: 'BatchNorm2d',
  batchNormInference: 'BatchNorm2d',
  conv2d: 'Conv2d',
  dropout: 'Dropout',
  flatten: 'Flatten',
  globalAvgPool: 'AdaptiveAvgPool2d',
  linear: 'Linear',
  logSoftmax: 'LogSoftmax',
  maxPool: 'MaxPool2d',
  prelu: 'PReLU',
  relu: 'ReLU',
};

/**
 * The layer table of a model's forward graph, before differentiation and fusion.
 * @param options.layers a row for every layer instead of one for each outermost module
 */
export function summarize(graph: Graph, options: { layers?: boolean } = {}): Summary {
  const picture = graph.values('input').find((value) => value.shape.length === 4);
  if (!picture) throw new Error('the graph has no picture as an input');
  const [batch = 1, ...input] = picture.shape;
  const groups = options.layers ? graph.nodes.map(single) : byModule(graph);
  const parameters = graph.values('parameter').reduce((sum, value) => sum + elements(value), 0);
  const multiplyAdds = graph.nodes.filter((node) => isNode(node, 'conv2d') || isNode(node, 'linear'));
  return {
    input,
    rows: groups.map((group) => row(group, batch)),
    parameters,
    statistics: graph.values('statistic').reduce((sum, value) => sum + elements(value), 0),
    flops: flops(graph.nodes) / batch,
    multiplyAdds: flops(multiplyAdds) / 2 / batch,
    activationBytes: activationBytes(graph.nodes) / batch,
  };
}

interface Group {
  readonly name: string;
  readonly type: string;
  readonly nodes: readonly Node[];
}

function single(node: Node): Group {
  return { name: node.name, type: typeOf(node), nodes: [node] };
}

/** What a reader calls a node, e.g. `Conv2d`. */
export function typeOf(node: Node): string {
  if (node.kind.startsWith('batchNorm') && node.outputs[0]?.shape.length === 2) return 'BatchNorm1d';
  return types[node.kind as OperationKind] ?? node.kind;
}

/** Nodes that follow one another in one outermost scope make a group, others stand alone. */
function byModule(graph: Graph): Group[] {
  const groups: Array<{ name: string; type: string; nodes: Node[] }> = [];
  for (const node of graph.nodes) {
    const scope = outermostScope(graph, node.name);
    const last = groups.at(-1);
    if (scope && last?.name === scope.path) last.nodes.push(node);
    else
      groups.push(
        scope ? { name: scope.path, type: scope.type, nodes: [node] } : { ...single(node), nodes: [node] },
      );
  }
  return groups;
}

/** The outermost module that a node of this name lies in. */
export function outermostScope(graph: Graph, name: string): { path: string; type: string } | undefined {
  for (let end = name.indexOf('.'); end >= 0; end = name.indexOf('.', end + 1)) {
    const scope = graph.scopes.get(name.slice(0, end));
    if (scope) return scope;
  }
  return undefined;
}

function row({ name, type, nodes }: Group, batch: number): SummaryRow {
  const windows = nodes.filter((node) => isNode(node, 'conv2d') || isPooling(node));
  const [first] = windows;
  const [convolution] = nodes.filter((node) => isNode(node, 'conv2d'));
  const shape = nodes.at(-1)?.outputs[0]?.shape ?? [];
  return {
    name,
    type,
    output: shape.slice(1),
    ...(first && windows.length === 1 ? { window: windowOf(first) } : {}),
    ...(convolution && windows.length === 1 ? { kernels: convolution.inputs[1]?.shape[0] ?? 0 } : {}),
    parameters: [...learned(nodes)].reduce((sum, value) => sum + elements(value), 0),
    flops: flops(nodes) / batch,
  };
}

function isPooling(node: Node): boolean {
  return isNode(node, 'maxPool') || isNode(node, 'avgPool');
}

function windowOf(node: Node): NonNullable<SummaryRow['window']> {
  if (isNode(node, 'conv2d')) {
    const [, , height = 1, width = 1] = node.inputs[1]?.shape ?? [];
    return { kernel: [height, width], stride: node.attributes.stride, padding: node.attributes.padding };
  }
  if (isNode(node, 'maxPool') || isNode(node, 'avgPool')) {
    const { kernel, stride, padding } = node.attributes;
    return { kernel, stride, padding };
  }
  throw new Error(`'${node.name}' slides no window`);
}

function learned(nodes: readonly Node[]): Set<Value> {
  return new Set(nodes.flatMap(({ inputs }) => inputs.filter(({ role }) => role === 'parameter')));
}

function flops(nodes: readonly Node[]): number {
  return nodes.reduce(
    (sum, { operation, attributes, inputs, outputs }) =>
      sum + (operation.flops?.(attributes, inputs, outputs) ?? 0),
    0,
  );
}

/** A flatten layer looks at the memory of the layer before it, so it adds nothing. */
function activationBytes(nodes: readonly Node[]): number {
  return nodes
    .filter((node) => !isNode(node, 'flatten'))
    .reduce((sum, { outputs: [y] }) => sum + (y ? elements(y) * elementSize(y.dtype) : 0), 0);
}
