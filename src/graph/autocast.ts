import { type DType, Graph, type Node, type Value } from './graph.js';
import { cast } from './ops/cast.js';
import type { OperationKind } from './ops/index.js';

export type HalfType = 'bf16' | 'f16';

/**
 * - `half`: computes in half precision; what comes in fp32 (pictures, weights) is cast
 * - `full`: computes in fp32
 * - `input`: in the type of its first input, with parameters and statistics in fp32
 * - `equal`: in the type of its inputs, in fp32 where these differ
 */
type Rule = 'half' | 'full' | 'input' | 'equal';

/** As PyTorch's autocast on a GPU, but for the kinds that it never meets. */
const rules: Partial<Record<OperationKind, Rule>> = {
  conv2d: 'half',
  linear: 'half',
  // the statistics are sums over a batch and need fp32; what is read and written is half
  batchNorm: 'input',
  batchNormInference: 'input',
  updateStatistics: 'input',
  relu: 'input',
  prelu: 'input',
  bias: 'input',
  dropout: 'input',
  maxPool: 'input',
  avgPool: 'input',
  globalAvgPool: 'input',
  flatten: 'input',
  fill: 'input',
  cast: 'input',
  add: 'equal',
  logSoftmax: 'full',
  nllLoss: 'full',
  softmaxCrossEntropy: 'full',
};

/**
 * A forward graph in mixed precision (Micikevicius et al. 2018): casts where an operation computes in another type
 * than its input has. Parameters stay fp32 and are cast once a run; named outputs come in fp32. Differentiate
 * afterwards: the gradients then follow the types of what they are gradients of.
 */
export function autocast(graph: Graph, half: HalfType): Graph {
  const result = new Graph();
  result.adoptDeclarations(graph);
  const places = new Map<Value, Value>();
  const casts = new Map<string, Value>();
  const placeOf = (value: Value): Value => places.get(value) ?? value;
  const inType = (value: Value, dtype: DType): Value => {
    if (value.dtype === dtype || !isFloat(value.dtype)) return value;
    const key = `${value.id}:${dtype}`;
    const known = casts.get(key) ?? result.apply1(cast, { dtype }, [value], `${value.name}.${dtype}`);
    casts.set(key, known);
    return known;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(placeOf);
    const wanted = wantedType(node, inputs, half);
    const given = wanted ? inputs.map((input) => inType(input, wanted)) : inputs;
    const outputs = result.apply(node.operation, node.attributes, given, node.name);
    node.outputs.forEach((output, index) => {
      const place = outputs[index];
      if (place) places.set(output, place);
    });
  }
  for (const [name, value] of graph.outputs) result.output(name, inType(placeOf(value), 'f32'));
  return result;
}

function wantedType(node: Node, inputs: readonly Value[], half: HalfType): DType | undefined {
  const rule = rules[node.kind as OperationKind];
  if (!rule)
    throw new Error(`no rule of mixed precision for '${node.kind}': it belongs before the gradients`);
  if (rule === 'half') return half;
  if (rule === 'full') return 'f32';
  const differ = inputs.some(({ dtype }) => dtype !== inputs[0]?.dtype);
  return rule === 'equal' && differ ? 'f32' : undefined;
}

function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'bf16' || dtype === 'f16';
}
