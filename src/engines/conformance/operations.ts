import { describe, it } from 'vitest';
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
import { expectClose, type GoldenCase, readGolden } from './golden.js';
import { halfTypes, operationTolerances } from './half.js';

const halfFiles = ['conv2d', 'batchNorm', 'activations', 'pooling', 'linear', 'elementwise'];
/** Autocast keeps losses in fp32. */
const files = [...halfFiles, 'losses'];

/** Roles that are learned; gradients of the others are asked for as gradients of inputs. */
const parameterRoles = new Set(['weight', 'bias', 'scale', 'shift']);

/** What rounded inputs change by more than their roundings; random-shapes.ts gives these inputs that need none. */
const beyondRounding: Partial<Record<string, readonly string[]>> = {
  // two values of a window that round to one have another winner
  maxPool: ['dx'],
  // 33 terms of about 1 that sum up to 0.24
  'batchNorm:train-33x1x1x1': ['dweight'],
};

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

/** Every operation, forward and backward, against PyTorch in double precision; in poison mode. */
export function operationConformance(engine: () => Engine, precision: Precision = 'fp32'): void {
  for (const file of precision === 'fp32' ? files : halfFiles) {
    describe(`${file} against PyTorch, in ${precision}`, () => {
      for (const golden of readGolden(`ops/${file}.safetensors`)) {
        it(golden.id, () => runCase(engine(), golden, precision));
      }
    });
  }
}

function runCase(engine: Engine, golden: GoldenCase, precision: Precision): void {
  const { graph, inputs } = build(golden, precision);
  const tolerance = operationTolerances[precision];
  const state = engine.createState();
  try {
    const program = engine.compile(fuse(graph), { state, poison: true });
    for (const [name] of state.values) state.write(name, tensor(golden, name) as Float32Array);
    // twice: the second run must not see what the first left behind
    for (const run of ['first', 'second']) {
      for (const [name] of state.values) {
        if (name.startsWith('running')) state.write(name, tensor(golden, name) as Float32Array);
      }
      program.run(inputs);
      for (const role of graph.outputs.keys()) {
        expectClose(`${role}, ${run} run`, program.read(role), tensor(golden, role), tolerance);
      }
      for (const after of ['runningMean', 'runningVar']) {
        const expected = golden.tensors.get(`${after}After`);
        if (expected) expectClose(`${after}, ${run} run`, state.read(after), expected.data, tolerance);
      }
    }
    program.close();
  } finally {
    state.close();
  }
}

function build(
  golden: GoldenCase,
  precision: Precision,
): { graph: Graph; inputs: Record<string, HostArray> } {
  const forward = new Graph();
  const declared = new Map<string, Value>();
  const inputs: Record<string, HostArray> = {};
  const declare = (role: string, graph: Graph): Value => {
    const known = declared.get(role);
    if (known) return known;
    const golden_ = golden.tensors.get(role);
    if (!golden_) throw new Error(`${golden.id} has no ${role}`);
    const shape = golden_.shape.length ? golden_.shape : [1];
    const made = role.startsWith('running')
      ? graph.statistic(role, shape, 0)
      : parameterRoles.has(role)
        ? graph.parameter(role, shape, { kind: 'constant', value: 0 }, false)
        : graph.input(role, shape, golden_.data instanceof Int32Array ? 'i32' : 'f32');
    if (made.role === 'input') inputs[role] = golden_.data;
    declared.set(role, made);
    return made;
  };
  const builder = builders[golden.op];
  if (!builder) throw new Error(`no builder for ${golden.op}`);
  const has = (role: string): boolean => golden.tensors.has(role);
  const half = precision === 'fp32' ? undefined : halfTypes[precision];
  const value = (role: string): Value => {
    const made = declare(role, forward);
    if (!half || made.role !== 'input' || castByAutocast.has(golden.op)) return made;
    return forward.apply1(cast, { dtype: half }, [made], `${role}.half`);
  };
  forward.output('y', builder({ graph: forward, value, attributes: golden.attributes, has }));
  const graph = half ? autocast(forward, half) : forward;
  if (has('dy')) {
    const skipped = half ? (beyondRounding[golden.op] ?? beyondRounding[golden.id] ?? []) : [];
    const wanted = [...declared].filter(([role]) => has(`d${role}`) && !skipped.includes(`d${role}`));
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

function tensor(
  golden: GoldenCase,
  role: string,
): GoldenCase['tensors'] extends ReadonlyMap<string, infer T>
  ? T extends { data: infer D }
    ? D
    : never
  : never {
  const found = golden.tensors.get(role);
  if (!found) throw new Error(`${golden.id} has no ${role}`);
  return found.data;
}
