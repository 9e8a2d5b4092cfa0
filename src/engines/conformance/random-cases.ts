import fc, { type Arbitrary } from 'fast-check';
import { type Pair, windowExtent } from '../../graph/ops/window.js';
import { batchNorm, batchNormInference } from './reference/batch-norm.js';
import { conv2d } from './reference/conv2d.js';
import { linear } from './reference/linear.js';
import { softmaxCrossEntropy } from './reference/loss.js';
import { add, bias, prelu, relu } from './reference/pointwise.js';
import { avgPool, globalAvgPool, maxPool } from './reference/pool.js';
import type { Expected, Given } from './reference/sums.js';

/** One operation with its attributes and the shapes of what goes in. */
export interface Drawn {
  readonly op: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Of the values that go in. */
  readonly seed: number;
  readonly reference: (given: Given) => Expected;
  /** Makes values of numbers between -1 and 1, where these do not do as they are. */
  readonly values?: Readonly<Record<string, (uniform: Float32Array) => Float32Array | Int32Array>>;
  /** Roles that only the reference gets, as zeros. */
  readonly absent?: readonly string[];
}

interface Drawing {
  readonly drawing: Arbitrary<Drawn>;
  readonly runs: number;
  /** What is tried first in every run, for having gone wrong once. */
  readonly always?: readonly Drawn[];
}

const seed = fc.nat(2 ** 30);
const few = (max: number) => fc.integer({ min: 1, max });
const pair = (min: number, max: number): Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
/** Multiples of the engines' blocks of 8 and 16, and what lies between. */
const channels = fc.constantFrom(1, 2, 3, 5, 8, 16, 17, 20, 32);
const zeros = (uniform: Float32Array): Float32Array => new Float32Array(uniform.length);

/** NCHW or NC. */
const anyShape = fc
  .record({ batch: few(4), channels, plane: fc.option(pair(1, 7), { freq: 4 }) })
  .map(({ batch, channels, plane }) => [batch, channels, ...(plane ?? [])]);

interface Convolution {
  readonly seed: number;
  readonly batch: number;
  readonly size: Pair;
  readonly kernel: Pair;
  readonly bias: boolean;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  readonly ins: number;
  readonly outs: number;
}

const convolution = fc
  .record<Convolution>({
    ...{ seed, batch: few(3), size: pair(1, 10), kernel: pair(1, 4), bias: fc.boolean() },
    ...{ stride: pair(1, 3), padding: pair(0, 3), dilation: pair(1, 2) },
    groups: fc.constantFrom(1, 1, 1, 2, 3, 20),
    ins: fc.constantFrom(1, 2, 3, 5, 8, 16, 20),
    outs: fc.constantFrom(1, 2, 3, 5, 8, 16, 20),
  })
  .map(convolutionOf);

function convolutionOf({ seed, batch, size, kernel, bias, ...rest }: Convolution): Drawn {
  const { groups, ins, outs, ...window } = rest;
  // many groups are depthwise or nearly so
  const [perGroup, outPerGroup] = groups > 3 ? [(ins % 2) + 1, (outs % 2) + 1] : [ins, outs];
  const input = enlarged(size, kernel, window);
  const extent = windowExtent('conv', input, kernel, window.stride, window.padding, window.dilation);
  const attributes = { groups, ...window };
  const out = outPerGroup * groups;
  return {
    ...{ op: 'conv2d', attributes, seed, reference: (given) => conv2d(attributes, given) },
    inputs: {
      x: [batch, perGroup * groups, ...input],
      weight: [out, perGroup, ...kernel],
      bias: [out],
      dy: [batch, out, ...extent],
    },
    ...withBias(bias),
  };
}

/** Pictures narrower than the stride, whose columns some kernels put apart by their remainder, and rows of one result. */
const narrow: readonly Drawn[] = [1, 3, 16, 20].flatMap((channels) => {
  const given = {
    seed: 0,
    batch: 1,
    bias: false,
    groups: 1,
    dilation: [1, 1] as const,
    ins: channels,
    outs: channels,
  };
  return [
    convolutionOf({ ...given, size: [1, 1], kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
    convolutionOf({ ...given, size: [2, 1], kernel: [1, 2], stride: [1, 2], padding: [0, 1] }),
    convolutionOf({ ...given, size: [2, 2], kernel: [1, 3], stride: [1, 3], padding: [0, 1] }),
    convolutionOf({ ...given, size: [4, 2], kernel: [2, 2], stride: [1, 2], padding: [1, 0] }),
  ];
});

const linearLayer = fc.record({ seed, batch: few(9), ins: few(70), outs: few(40), bias: fc.boolean() }).map(
  ({ seed, batch, ins, outs, bias }): Drawn => ({
    ...{ op: 'linear', attributes: {}, seed, reference: linear },
    inputs: { x: [batch, ins], weight: [outs, ins], bias: [outs], dy: [batch, outs] },
    ...withBias(bias),
  }),
);

function pools(op: 'maxPool' | 'avgPool'): Arbitrary<Drawn> {
  const drawn = { seed, batch: few(3), channels, size: pair(1, 11), kernel: pair(1, 4), stride: pair(1, 3) };
  return fc
    .record({ ...drawn, padded: fc.tuple(fc.boolean(), fc.boolean()), countIncludePad: fc.boolean() })
    .map(({ seed, batch, channels, size, kernel, stride, padded, countIncludePad }): Drawn => {
      const padding = [0, 1].map((axis) => (padded[axis] ? Math.floor((kernel[axis] ?? 0) / 2) : 0));
      const window = { kernel, stride, padding: padding as unknown as Pair };
      const input = enlarged(size, kernel, { ...window, dilation: [1, 1] });
      const dy = [batch, channels, ...windowExtent('pool', input, kernel, stride, window.padding)];
      const averaging = { ...window, countIncludePad };
      return {
        ...{ op, seed, inputs: { x: [batch, channels, ...input], dy } },
        attributes: op === 'avgPool' ? averaging : window,
        reference: (given) => (op === 'avgPool' ? avgPool(averaging, given) : maxPool(window, given)),
        ...(op === 'maxPool' && { values: { x: distinct } }),
      };
    });
}

const globalPool = fc.record({ seed, batch: few(4), channels, size: pair(1, 9) }).map(
  ({ seed, batch, channels, size }): Drawn => ({
    ...{ op: 'globalAvgPool', attributes: {}, seed, reference: globalAvgPool },
    inputs: { x: [batch, channels, ...size], dy: [batch, channels, 1, 1] },
  }),
);

function norms(training: boolean): Arbitrary<Drawn> {
  return fc
    .record({ seed, shape: anyShape, momentum: fc.constantFrom(0.1, 0.3, 1) })
    .map(({ seed, shape: [batch = 1, ...rest], momentum }): Drawn => {
      // of few values a channel's deviation may be next to nothing, and its inverse anything
      const x = [batch + 8, ...rest];
      const each = [rest[0] ?? 1];
      const statistics = { weight: each, bias: each, runningMean: each, runningVar: each };
      const attributes = { epsilon: 1e-5, momentum, training };
      return {
        ...{ op: 'batchNorm', attributes, seed },
        reference: (given) => (training ? batchNorm : batchNormInference)(attributes, given),
        inputs: { x, ...statistics, ...(training && { dy: x }) },
        values: { runningVar: (uniform) => uniform.map((value) => 0.5 + Math.abs(value)) },
      };
    });
}

const prelus = fc.record({ seed, x: anyShape, shared: fc.boolean() }).map(
  ({ seed, x, shared }): Drawn => ({
    ...{ op: 'prelu', attributes: {}, seed, reference: prelu },
    inputs: { x, weight: [shared ? 1 : (x[1] ?? 1)], dy: x },
  }),
);

const relus = fc.record({ seed, x: anyShape }).map(
  ({ seed, x }): Drawn => ({
    ...{ op: 'relu', attributes: {}, seed, reference: relu, inputs: { x, dy: x } },
  }),
);

const biases = fc.record({ seed, x: anyShape }).map(
  ({ seed, x }): Drawn => ({
    ...{ op: 'bias', attributes: {}, seed, reference: bias, inputs: { x, bias: [x[1] ?? 1], dy: x } },
  }),
);

const sums = fc.record({ seed, a: anyShape }).map(
  ({ seed, a }): Drawn => ({
    ...{ op: 'add', attributes: {}, seed, reference: add, inputs: { a, b: a, dy: a } },
  }),
);

const losses = fc
  .record({ seed, rows: few(9), classes: few(40), labelSmoothing: fc.constantFrom(0, 0.1, 0.5) })
  .map(
    ({ seed, rows, classes, labelSmoothing }): Drawn => ({
      ...{ op: 'softmaxCrossEntropy', attributes: { labelSmoothing }, seed },
      reference: (given) => softmaxCrossEntropy({ labelSmoothing }, given),
      inputs: { x: [rows, classes], labels: [rows], dy: [] },
      values: { x: (uniform) => uniform.map((value) => 5 * value), labels: labelsOf(classes) },
    }),
  );

/** How often each: what can go wrong in more ways more often. */
export const drawings: Readonly<Record<string, Drawing>> = {
  conv2d: { drawing: convolution, runs: 200, always: narrow },
  linear: { drawing: linearLayer, runs: 90 },
  maxPool: { drawing: pools('maxPool'), runs: 90 },
  avgPool: { drawing: pools('avgPool'), runs: 90 },
  globalAvgPool: { drawing: globalPool, runs: 40 },
  batchNorm: { drawing: norms(true), runs: 90 },
  'batchNorm by running statistics': { drawing: norms(false), runs: 40 },
  relu: { drawing: relus, runs: 40 },
  prelu: { drawing: prelus, runs: 90 },
  bias: { drawing: biases, runs: 40 },
  add: { drawing: sums, runs: 40 },
  softmaxCrossEntropy: { drawing: losses, runs: 90 },
};

/** Autocast keeps losses in fp32. */
export const fp32Only: ReadonlySet<string> = new Set(['softmaxCrossEntropy']);

function withBias(bias: boolean): Pick<Drawn, 'absent' | 'values'> {
  return bias ? {} : { absent: ['bias', 'dbias'], values: { bias: zeros } };
}

/** The picture, or the smallest one that the window fits into. */
function enlarged(
  size: Pair,
  kernel: Pair,
  { padding, dilation }: { readonly padding: Pair; readonly dilation: Pair },
): Pair {
  const extent = (axis: 0 | 1): number =>
    Math.max(size[axis], dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding[axis]);
  return [extent(0), extent(1)];
}

/** No two of a plane (of fewer than 251) are equal: a maximum has one winner. */
function distinct(uniform: Float32Array): Float32Array {
  const step = 1 + Math.floor(124 * Math.abs(uniform[0] ?? 0));
  return uniform.map((_, index) => (((index * step) % 251) - 125) / 128);
}

/** One in so many has none; the first has one. */
function labelsOf(classes: number): (uniform: Float32Array) => Int32Array {
  return (uniform) =>
    Int32Array.from(uniform, (value, row) => {
      const label = Math.min(classes - 1, Math.floor(((value + 1) / 2) * (classes + 1)) - 1);
      return row === 0 ? Math.max(0, label) : label;
    });
}
