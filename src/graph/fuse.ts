import { Graph, type Node, type Value } from './graph.js';
import { batchNorm, batchNormBackward, batchNormInference, foldBatchNorm } from './ops/batch-norm.js';
import { cast } from './ops/cast.js';
import { conv2d } from './ops/conv2d.js';
import { isNode, type NodeOf } from './ops/index.js';

/**
 * Joins nodes that an engine runs in one pass over memory: batch norm + ReLU (with their gradients),
 * convolution + residual sum; and where nothing is differentiated, batch norm folded into the convolution
 * before it and convolution + ReLU. Removes what nobody reads. The result computes the same values.
 */
export function fuse(graph: Graph): Graph {
  const editor = new Editor(graph);
  fuseNormRelu(editor);
  foldNorms(editor);
  fuseConvRelu(editor);
  fuseResidual(editor);
  editor.removeUnread();
  return editor.finish();
}

/** The nodes of a graph while they are being replaced, with who reads what. */
class Editor {
  readonly #result = new Graph();
  readonly #outputs: ReadonlySet<Value>;
  readonly #update: ReadonlySet<Node>;
  readonly #producers = new Map<Value, Node>();
  readonly #readers = new Map<Value, Set<Node>>();
  nodes: Node[];

  constructor(graph: Graph) {
    this.#result.adoptDeclarations(graph);
    this.#outputs = new Set(graph.outputs.values());
    this.nodes = [...graph.nodes];
    this.#update = new Set(graph.nodes.slice(graph.updateStart));
    for (const node of this.nodes) this.#enter(node);
  }

  producer(value: Value | undefined): Node | undefined {
    return value && this.#producers.get(value);
  }

  readers(value: Value): Node[] {
    return [...(this.#readers.get(value) ?? [])];
  }

  /** Whether `node` is all that reads `value`. */
  isOnlyReader(node: Node, value: Value): boolean {
    const readers = this.#readers.get(value);
    return readers?.size === 1 && readers.has(node) && !this.#outputs.has(value);
  }

  /** Puts `by` in the place of `node` and takes `removed` out. */
  replace(node: Node, by: readonly Node[], removed: readonly Node[] = []): void {
    for (const old of [node, ...removed]) {
      this.nodes.splice(this.nodes.indexOf(old), 1, ...(old === node ? by : []));
      this.#leave(old);
    }
    for (const each of by) this.#enter(each);
  }

  fresh(name: string, value: Pick<Value, 'shape' | 'dtype'>): Value {
    return this.#result.fresh(name, { shape: value.shape, dtype: value.dtype });
  }

  /** One pass from the end: a node is reached after all that could read it. */
  removeUnread(): void {
    const read = new Set(this.#outputs);
    const kept = this.nodes.toReversed().filter((node) => {
      if (node.outputs.length && !node.outputs.some((output) => read.has(output))) return false;
      for (const input of node.inputs) read.add(input);
      return true;
    });
    this.nodes = kept.reverse();
  }

  finish(): Graph {
    // no rule above touches the nodes of the update
    const updateStart = this.nodes.findIndex((node) => this.#update.has(node));
    this.nodes.forEach((node, index) => {
      if (index === updateStart) this.#result.beginUpdate();
      this.#result.adopt(node);
    });
    return this.#result;
  }

  #enter(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const input of node.inputs) {
      const readers = this.#readers.get(input);
      if (readers) readers.add(node);
      else this.#readers.set(input, new Set([node]));
    }
  }

  #leave(node: Node): void {
    for (const output of node.outputs) this.#producers.delete(output);
    for (const input of node.inputs) this.#readers.get(input)?.delete(node);
  }
}

function fuseNormRelu(editor: Editor): void {
  for (const relu of editor.nodes.filter((node) => isNode(node, 'relu'))) {
    const [hidden] = relu.inputs;
    const [y] = relu.outputs;
    const norm = editor.producer(hidden);
    if (!hidden || !y || !norm || !editor.isOnlyReader(relu, hidden)) continue;
    if (isNode(norm, 'batchNormInference')) {
      const fused = { ...norm, attributes: { ...norm.attributes, relu: true }, outputs: [y] };
      editor.replace(norm, [fused as Node], [relu]);
    } else if (isNode(norm, 'batchNorm')) {
      fuseTrainedNormRelu(editor, norm, relu, y);
    }
  }
}

function fuseTrainedNormRelu(editor: Editor, norm: NodeOf<'batchNorm'> & Node, relu: Node, y: Value): void {
  const [, mean, variance] = norm.outputs;
  if (!mean || !variance) return;
  const reluBackwards = editor.readers(y).filter((node) => isNode(node, 'reluBackward'));
  const pairs = reluBackwards.map((reluBackward) => {
    const [dhidden] = reluBackward.outputs;
    const backward = dhidden && editor.readers(dhidden).find((node) => isNode(node, 'batchNormBackward'));
    const joined =
      dhidden && backward && editor.isOnlyReader(backward, dhidden) && backward.inputs[2] === mean;
    return joined ? { reluBackward, backward } : undefined;
  });
  if (pairs.some((pair) => pair === undefined)) return;
  const passed = editor.fresh(`${norm.name}:passed`, { shape: y.shape, dtype: 'opaque' });
  const attributes = { ...norm.attributes, relu: true };
  const fused: NodeOf<'batchNorm'> = {
    ...norm,
    operation: batchNorm,
    attributes,
    outputs: [y, mean, variance, passed],
  };
  editor.replace(norm, [fused as Node], [relu]);
  for (const pair of pairs) {
    if (!pair) continue;
    const [dy] = pair.reluBackward.inputs;
    if (!dy) continue;
    const inputs = [dy, ...pair.backward.inputs.slice(1), passed];
    const backward: NodeOf<'batchNormBackward'> = {
      ...pair.backward,
      kind: 'batchNormBackward',
      operation: batchNormBackward,
      attributes,
      inputs,
    };
    editor.replace(pair.backward, [backward as Node], [pair.reluBackward]);
  }
}

function foldNorms(editor: Editor): void {
  for (const norm of editor.nodes.filter((node) => isNode(node, batchNormInference.kind))) {
    const [hidden, ...statistics] = norm.inputs;
    const conv = editor.producer(hidden);
    if (!hidden || !isNode(conv, 'conv2d') || !editor.isOnlyReader(norm, hidden)) continue;
    const [x, halfWeight, halfBias] = conv.inputs;
    const [weight, bias] = [halfWeight, halfBias].map((value) => uncast(editor, value));
    if (!x || !halfWeight || !weight || conv.attributes.residual || conv.attributes.relu) continue;
    const foldedWeight = editor.fresh(`${norm.name}.foldedWeight`, weight);
    const foldedBias = editor.fresh(`${norm.name}.foldedBias`, {
      shape: [weight.shape[0] ?? 0],
      dtype: 'f32',
    });
    const fold: NodeOf<'foldBatchNorm'> = {
      kind: 'foldBatchNorm',
      operation: foldBatchNorm,
      name: `${norm.name}.fold`,
      attributes: { epsilon: norm.attributes.epsilon, bias: bias !== undefined },
      inputs: [weight, ...(bias ? [bias] : []), ...statistics],
      outputs: [foldedWeight, foldedBias],
    };
    const [weightCast, biasCast] = [foldedWeight, foldedBias].map((value) =>
      recast(editor, value, halfWeight),
    );
    const fused: NodeOf<'conv2d'> = {
      ...conv,
      operation: conv2d,
      attributes: { ...conv.attributes, relu: norm.attributes.relu === true },
      inputs: [x, weightCast?.value ?? foldedWeight, biasCast?.value ?? foldedBias],
      outputs: norm.outputs,
    };
    const casts = [weightCast, biasCast].flatMap((each) => (each ? [each.node] : []));
    editor.replace(norm, [fold as Node, ...casts, fused as Node], [conv]);
  }
}

/** The value before a cast: folding needs all of its digits. */
function uncast(editor: Editor, value: Value | undefined): Value | undefined {
  const producer = editor.producer(value);
  return isNode(producer, 'cast') ? producer.inputs[0] : value;
}

/** A folded value in the type of what it stands for. */
function recast(
  editor: Editor,
  value: Value,
  { dtype }: Value,
): { readonly node: Node; readonly value: Value } | undefined {
  if (dtype === value.dtype) return undefined;
  const result = editor.fresh(`${value.name}.${dtype}`, { shape: value.shape, dtype });
  const node: NodeOf<'cast'> = {
    kind: 'cast',
    operation: cast,
    name: result.name,
    attributes: { dtype },
    inputs: [value],
    outputs: [result],
  };
  return { node: node as Node, value: result };
}

function fuseConvRelu(editor: Editor): void {
  for (const relu of editor.nodes.filter((node) => isNode(node, 'relu'))) {
    const [hidden] = relu.inputs;
    const conv = editor.producer(hidden);
    if (!hidden || !isNode(conv, 'conv2d') || conv.attributes.residual || !editor.isOnlyReader(relu, hidden))
      continue;
    const [y] = relu.outputs;
    // in training the gradient reads the same result, so the fusion holds there as well
    const fused: NodeOf<'conv2d'> = {
      ...conv,
      attributes: { ...conv.attributes, relu: true },
      outputs: relu.outputs,
    };
    if (y) editor.replace(conv, [fused as Node], [relu]);
  }
}

function fuseResidual(editor: Editor): void {
  for (const sum of editor.nodes.filter((node) => isNode(node, 'add'))) {
    const branch = sum.inputs.findIndex((input) => {
      const conv = editor.producer(input);
      const fusable = isNode(conv, 'conv2d') && !conv.attributes.relu && !conv.attributes.residual;
      const alike = sum.inputs[0]?.dtype === sum.inputs[1]?.dtype;
      return fusable && alike && editor.isOnlyReader(sum, input) && sum.inputs[0] !== sum.inputs[1];
    });
    const conv = editor.producer(sum.inputs[branch]);
    const addend = sum.inputs[1 - branch];
    if (branch < 0 || !isNode(conv, 'conv2d') || !addend) continue;
    const fused: NodeOf<'conv2d'> = {
      ...conv,
      attributes: { ...conv.attributes, residual: true },
      inputs: [...conv.inputs, addend],
      outputs: sum.outputs,
    };
    // at the place of the sum: only there is the addend known to be ready
    editor.replace(sum, [fused as Node], [conv]);
  }
}
