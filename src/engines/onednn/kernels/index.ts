import type { OperationKind } from '../../../graph/ops/index.js';
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
import type { Kernel } from './kernel.js';
import { linear, linearBackwardInput, linearBackwardWeight } from './linear.js';
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
import { logSoftmax, logSoftmaxBackward } from './softmax.js';

/** One kernel for each operation of the graph; the emitter misses none. */
const kernels: { readonly [K in OperationKind]: Kernel<K> } = {
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

/** The kernel of a kind of node, seen as one that takes whatever node it is asked about. */
export function kernelOf(kind: OperationKind): Kernel<OperationKind> {
  return kernels[kind] as Kernel<OperationKind>;
}
