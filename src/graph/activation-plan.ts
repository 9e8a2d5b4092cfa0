import { elementSize, elements, type Graph, type Node, type Value } from './graph.js';
import { type MemoryPlan, planMemory, type Region } from './memory-plan.js';
import { type OperationKind, operations } from './ops/index.js';

/** Input over which an engine may write the result, where it is the last to read it. */
const overwrites: Partial<Record<OperationKind, number>> = {
  add: 0,
  bias: 0,
  relu: 0,
  batchNormInference: 0,
  reluBackward: 0,
  batchNormBackward: 0,
  dropout: 0,
  dropoutBackward: 0,
};

/** Kinds whose result is their input's memory under another shape. */
const views: ReadonlySet<string> = new Set<OperationKind>(['flatten', 'flattenBackward']);

/** Kinds that read gradients of parameters, which lie in flat buffers of the state. */
const takeGradients: ReadonlySet<string> = new Set<OperationKind>([
  'sgd',
  'adam',
  'accumulateGradients',
  'allReduceGradients',
  'beginAllReduce',
  'finishAllReduce',
  'unscaleGradients',
  'clipGradientNorm',
  'clipGradientValue',
]);

const takeWeights: ReadonlySet<string> = new Set<OperationKind>([
  'conv2d',
  'conv2dBackwardInput',
  'linear',
  'linearBackwardInput',
]);

interface Holder {
  readonly size: number;
  readonly first: number;
  last: number;
}

/**
 * The memory plan of a graph's results by their types and lifetimes alone, before any engine has chosen layouts:
 * what an engine needs beside it is padding of channels and the working memory of its primitives.
 */
export function planActivations(graph: Graph): MemoryPlan {
  const lastReader = new Map<Value, number>();
  const flat = new Set<Value>();
  graph.nodes.forEach((node, index) => {
    for (const input of node.inputs) lastReader.set(input, index);
    if (takeGradients.has(node.kind)) for (const value of [...node.inputs, ...node.outputs]) flat.add(value);
  });
  for (const output of graph.outputs.values()) lastReader.set(output, graph.nodes.length);
  const holders = new Map<Value, Holder>();
  const regions: Holder[] = [];
  graph.nodes.forEach((node, index) => {
    const weight = rearranged(node);
    if (weight > 0) regions.push({ size: weight, first: index, last: index });
    const reused = reusedInput(node, index, lastReader);
    node.outputs.forEach((output, position) => {
      const last = lastReader.get(output) ?? index;
      const known = position === 0 && reused ? holders.get(reused) : undefined;
      if (known) {
        known.last = Math.max(known.last, last);
        holders.set(output, known);
        return;
      }
      if (flat.has(output)) return;
      const holder = { size: elements(output) * elementSize(output.dtype), first: index, last };
      holders.set(output, holder);
      regions.push(holder);
    });
  });
  return planMemory(regions as readonly Region[]);
}

/** Bytes of a weight that a primitive may want in another order than it is kept in. */
function rearranged({ kind, inputs }: Node): number {
  const [, weight] = inputs;
  return weight && takeWeights.has(kind) ? elements(weight) * elementSize(weight.dtype) : 0;
}

/** The input whose memory the node's result takes over. */
function reusedInput(node: Node, index: number, lastReader: ReadonlyMap<Value, number>): Value | undefined {
  if (views.has(node.kind)) return node.inputs[0];
  // the sum with a shortcut is taken in the memory of the shortcut
  const isSum = node.kind === operations.conv2d.kind && (node.attributes as { residual?: boolean }).residual;
  const at = isSum ? node.inputs.length - 1 : overwrites[node.kind as OperationKind];
  const candidate = at === undefined ? undefined : node.inputs[at];
  const [output] = node.outputs;
  if (!candidate || !output || candidate.role !== 'computed') return undefined;
  const fits = candidate.dtype === output.dtype && elements(candidate) === elements(output);
  return fits && (lastReader.get(candidate) ?? 0) <= index ? candidate : undefined;
}
