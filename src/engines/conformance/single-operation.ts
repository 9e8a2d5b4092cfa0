import { autocast } from '../../graph/autocast.js';
import { differentiate } from '../../graph/differentiate.js';
import { fuse } from '../../graph/fuse.js';
import { Graph, type Value } from '../../graph/graph.js';
import { add } from '../../graph/ops/add.js';
import { batchNorm, batchNormInference, updateStatistics } from '../../graph/ops/batch-norm.js';
import { bias } from '../../graph/ops/bias.js';
import { cast } from '../../graph/ops/cast.js';
import { type Conv2dAttributes, conv2d } from '../../graph/ops/conv2d.js';
import { flatten } from '../../graph/ops/flatten.js';
import { linear } from '../../graph/ops/linear.js';
import { logSoftmax } from '../../graph/ops/log-softmax.js';
import { type CrossEntropyAttributes, nllLoss, softmaxCrossEntropy } from '../../graph/ops/loss.js';
import {
  type AvgPoolAttributes,
  avgPool,
  globalAvgPool,
  type MaxPoolAttributes,
  maxPool,
} from '../../graph/ops/pool.js';
import { prelu } from '../../graph/ops/prelu.js';
import { relu } from '../../graph/ops/relu.js';
import type { Precision } from '../../train/precision/precision.js';
import type { Engine, HostArray } from '../engine.js';
import type { GoldenCase, GoldenTensor } from './golden.js';
import { halfTypes } from './half.js';

/** An operation with the values of its inputs, and which of its results are wanted. */
export interface OperationCase extends Pick<GoldenCase, 'op' | 'attributes' | 'tensors'> {
  /** Gradients to leave out though `tensors` has them. */
  readonly without?: readonly string[];
}

interface RunOptions {
  readonly precision: Precision;
  readonly check: (role: string, values: Float32Array, run: string) => void;
}

/** Roles that are learned; gradients of the others are asked for as gradients of inputs. */
const parameterRoles = new Set(['weight', 'bias', 'scale', 'shift']);

/** These autocast puts into half by itself; the others take what the operation before has left. */
const castByAutocast = new Set(['conv2d', 'linear']);

interface Built {
  readonly graph: Graph;
  /** Gets an input or parameter of the case by its role. */
  readonly value: (role: string) => Value;
  readonly attributes: GoldenCase['attributes'];
  readonly has: (role: string) => boolean;
}

const builders: Record<string, (built: Built) => Value> = {
  conv2d: ({ graph, value, attributes, has }) => {
    const inputs = ['x', 'weight', ...(has('bias') ? ['bias'] : [])].map(value);
    return graph.apply1(conv2d, attributes as unknown as Conv2dAttributes, inputs, 'y');
  },
  batchNorm: buildBatchNorm,
  relu: ({ graph, value }) => graph.apply1(relu, {}, [value('x')], 'y'),
  prelu: ({ graph, value }) => graph.apply1(prelu, {}, [value('x'), value('weight')], 'y'),
  maxPool: ({ graph, value, attributes }) =>
    graph.apply1(
      maxPool,
      { ...attributes, training: true } as unknown as MaxPoolAttributes,
      [value('x')],
      'y',
    ),
  avgPool: ({ graph, value, attributes }) =>
    graph.apply1(avgPool, attributes as unknown as AvgPoolAttributes, [value('x')], 'y'),
  globalAvgPool: ({ graph, value }) => graph.apply1(globalAvgPool, {}, [value('x')], 'y'),
  linear: ({ graph, value, has }) =>
    graph.apply1(linear, {}, ['x', 'weight', ...(has('bias') ? ['bias'] : [])].map(value), 'y'),
  add: ({ graph, value, has }) => graph.apply1(add, {}, [value('a'), value(has('b') ? 'b' : 'a')], 'y'),
  bias: ({ graph, value }) => graph.apply1(bias, {}, [value('x'), value('bias')], 'y'),
  flatten: ({ graph, value }) => graph.apply1(flatten, {}, [value('x')], 'y'),
  logSoftmax: ({ graph, value }) => graph.apply1(logSoftmax, {}, [value('x')], 'y'),
  nllLoss: ({ graph, value }) => graph.apply1(nllLoss, {}, [value('x'), value('labels')], 'y'),
  softmaxCrossEntropy: ({ graph, value, attributes }) =>
    graph.apply1(
      softmaxCrossEntropy,
      attributes as unknown as CrossEntropyAttributes,
      [value('x'), value('labels')],
      'y',
    ),
};

/**
 * Runs it twice in poison mode, as the second run must not see what the first left behind, and gives each result by its
 * role: `y`, gradients, and running statistics by the name that their new values have in `tensors`.
 */
export function runOperation(engine: Engine, given: OperationCase, { precision, check }: RunOptions): void {
  const { graph, inputs } = build(given, precision);
  const state = engine.createState();
  try {
    const program = engine.compile(fuse(graph), { state, poison: true });
    const write = (name: string): void => state.write(name, tensor(given, name).data as Float32Array);
    const names = [...state.values.keys()];
    names.forEach(write);
    for (const run of ['first', 'second']) {
      names.filter((name) => name.startsWith('running')).forEach(write);
      program.run(inputs);
      for (const role of graph.outputs.keys()) check(role, program.read(role), `${run} run`);
      for (const name of ['runningMean', 'runningVar']) {
        if (given.tensors.has(`${name}After`)) check(`${name}After`, state.read(name), `${run} run`);
      }
    }
    program.close();
  } finally {
    state.close();
  }
}

/** The tensor of a role, without which the case makes no sense. */
export function tensor({ op, tensors }: OperationCase, role: string): GoldenTensor {
  const found = tensors.get(role);
  if (!found) throw new Error(`the case of ${op} has no ${role}`);
  return found;
}

function build(
  given: OperationCase,
  precision: Precision,
): { graph: Graph; inputs: Record<string, HostArray> } {
  const forward = new Graph();
  const declared = new Map<string, Value>();
  const inputs: Record<string, HostArray> = {};
  const declare = (role: string, graph: Graph): Value => {
    const known = declared.get(role);
    if (known) return known;
    const { shape: sizes, data } = tensor(given, role);
    const shape = sizes.length ? sizes : [1];
    const made = role.startsWith('running')
      ? graph.statistic(role, shape, 0)
      : parameterRoles.has(role)
        ? graph.parameter(role, shape, { kind: 'constant', value: 0 }, false)
        : graph.input(role, shape, data instanceof Int32Array ? 'i32' : 'f32');
    if (made.role === 'input') inputs[role] = data;
    declared.set(role, made);
    return made;
  };
  const builder = builders[given.op];
  if (!builder) throw new Error(`no builder for ${given.op}`);
  const has = (role: string): boolean => given.tensors.has(role);
  const half = precision === 'fp32' ? undefined : halfTypes[precision];
  const value = (role: string): Value => {
    const made = declare(role, forward);
    if (!half || made.role !== 'input' || castByAutocast.has(given.op)) return made;
    return forward.apply1(cast, { dtype: half }, [made], `${role}.half`);
  };
  forward.output('y', builder({ graph: forward, value, attributes: given.attributes, has }));
  const graph = half ? autocast(forward, half) : forward;
  if (has('dy')) {
    const wanted = [...declared].filter(([role]) => has(`d${role}`) && !given.without?.includes(`d${role}`));
    const gradientInputs = wanted.map(([, each]) => each).filter((each) => each.role === 'input');
    const loss = graph.outputs.get('y') as Value;
    const gradients = differentiate(graph, { loss, seed: declare('dy', graph), inputs: gradientInputs });
    for (const [role, each] of wanted) {
      const gradient = gradients.get(each);
      if (!gradient) throw new Error(`no gradient for ${role}`);
      graph.output(`d${role}`, gradient);
    }
  }
  return { graph, inputs };
}

function buildBatchNorm({ graph, value, attributes }: Built): Value {
  const epsilon = attributes.epsilon as number;
  const [x, scale, shift, mean, variance] = ['x', 'weight', 'bias', 'runningMean', 'runningVar'].map(value);
  if (!x || !scale || !shift || !mean || !variance) throw new Error('batchNorm lacks a tensor');
  if (!attributes.training)
    return graph.apply1(batchNormInference, { epsilon }, [x, scale, shift, mean, variance], 'y');
  const [y, batchMean, batchVariance] = graph.apply(batchNorm, { epsilon }, [x, scale, shift], 'y');
  if (!y || !batchMean || !batchVariance) throw new Error('batchNorm lacks an output');
  const count = x.shape.reduce((product, extent) => product * extent, 1) / (x.shape[1] ?? 1);
  const updated = { momentum: attributes.momentum as number, counts: [count] };
  graph.apply(updateStatistics, updated, [mean, variance, batchMean, batchVariance], 'update');
  return y;
}
