import type { Node, Operation } from '../graph.js';
import { add } from './add.js';
import { allReduceGradients, beginAllReduce, finishAllReduce } from './all-reduce.js';
import {
  batchNorm,
  batchNormBackward,
  batchNormInference,
  foldBatchNorm,
  updateStatistics,
} from './batch-norm.js';
import { bias, biasBackward } from './bias.js';
import { cast } from './cast.js';
import { conv2d, conv2dBackwardInput, conv2dBackwardWeight } from './conv2d.js';
import { dropout, dropoutBackward } from './dropout.js';
import { fill } from './fill.js';
import { flatten, flattenBackward } from './flatten.js';
import { accumulateGradients, clipGradientNorm, clipGradientValue, unscaleGradients } from './gradients.js';
import { linear, linearBackwardInput, linearBackwardWeight } from './linear.js';
import { logSoftmax, logSoftmaxBackward } from './log-softmax.js';
import { nllLoss, nllLossBackward, softmaxCrossEntropy, softmaxCrossEntropyBackward } from './loss.js';
import { adam, sgd } from './optimizers.js';
import {
  avgPool,
  avgPoolBackward,
  globalAvgPool,
  globalAvgPoolBackward,
  maxPool,
  maxPoolBackward,
} from './pool.js';
import { prelu, preluBackward } from './prelu.js';
import { relu, reluBackward } from './relu.js';

/** Every operation that a graph may hold; an engine has one kernel for each. */
export const operations = {
  add,
  allReduceGradients,
  beginAllReduce,
  finishAllReduce,
  batchNorm,
  batchNormBackward,
  batchNormInference,
  foldBatchNorm,
  updateStatistics,
  bias,
  biasBackward,
  cast,
  conv2d,
  conv2dBackwardInput,
  conv2dBackwardWeight,
  dropout,
  dropoutBackward,
  fill,
  flatten,
  flattenBackward,
  linear,
  linearBackwardInput,
  linearBackwardWeight,
  logSoftmax,
  logSoftmaxBackward,
  nllLoss,
  nllLossBackward,
  softmaxCrossEntropy,
  softmaxCrossEntropyBackward,
  sgd,
  adam,
  accumulateGradients,
  unscaleGradients,
  clipGradientNorm,
  clipGradientValue,
  avgPool,
  avgPoolBackward,
  globalAvgPool,
  globalAvgPoolBackward,
  maxPool,
  maxPoolBackward,
  prelu,
  preluBackward,
  relu,
  reluBackward,
};

export type OperationKind = keyof typeof operations;

export type AttributesOf<K extends OperationKind> =
  (typeof operations)[K] extends Operation<string, infer A> ? A : never;

/** A node whose `kind` tells its attributes. */
export type NodeOf<K extends OperationKind> = Node<K, AttributesOf<K>>;
export type GraphNode = { [K in OperationKind]: NodeOf<K> }[OperationKind];

export function isNode<K extends OperationKind>(node: Node | undefined, kind: K): node is NodeOf<K> & Node {
  return node?.kind === kind;
}
