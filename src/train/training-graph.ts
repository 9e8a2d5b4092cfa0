import { autocast } from '../graph/autocast.js';
import { differentiate } from '../graph/differentiate.js';
import { fuse } from '../graph/fuse.js';
import { Graph, type Value } from '../graph/graph.js';
import { softmaxCrossEntropy } from '../graph/ops/loss.js';
import { overlap } from '../graph/overlap.js';
import { type Initialization, Layers } from '../models/layers.js';
import type { Model } from '../models/model.js';
import { appendGradientPath, type GradientPath, weighsLoss } from './gradient-path.js';
import type { Optimizer } from './optimizers/index.js';
import type { Precision } from './precision/precision.js';

export interface PictureBatch {
  /** Pictures that the engine takes at once. */
  readonly batchSize: number;
  /** Height of the pictures in pixels. */
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

export interface TrainingGraphOptions extends PictureBatch, GradientPath {
  readonly optimizer: Optimizer;
  /** Share of the target that is spread over all classes, 0 to below 1. Default 0. */
  readonly labelSmoothing?: number;
  readonly initialization?: Initialization;
  /** Whether batch norms take their statistics over the pictures of all replicas. Default false. */
  readonly syncBatchNorm?: boolean | undefined;
  /** What the layers compute with. Default: fp32. */
  readonly precision?: Precision | undefined;
}

/**
 * One training step: forward, loss, gradients, running statistics, update.
 * Inputs: `image` [N,3,H,W] f32, `labels` [N] i32 (-1: left out), the optimizer's scalars, and for models with
 * dropout `seed` [2] and `step` [1], both i32; where the loss is weighed `lossWeight` [1]; those of the gradients' way.
 * Outputs: `loss` [1], `logits` [N,classes], and those of the gradients' way.
 * @throws UserError when the pictures do not fit the model
 */
export function trainingGraph(model: Model, options: TrainingGraphOptions): Graph {
  const { batchSize, classes, optimizer, labelSmoothing = 0, initialization = 'xavier' } = options;
  const forward = new Graph();
  const replicas = options.syncBatchNorm ? (options.replicas ?? 1) : 1;
  const layers = new Layers(forward, { training: true, initialization, replicas });
  forward.output('logits', model.build(layers, pictures(forward, options), classes));
  const logits = forward.outputs.get('logits') as Value;
  const labels = forward.input('labels', [batchSize], 'i32');
  forward.output('loss', forward.apply1(softmaxCrossEntropy, { labelSmoothing }, [logits, labels], 'loss'));
  layers.updateStatistics();
  const graph = inPrecision(forward, options.precision);
  const seed = weighsLoss(options) ? { seed: graph.input('lossWeight', [1]) } : {};
  const gradients = differentiate(graph, { loss: graph.outputs.get('loss') as Value, ...seed });
  const pairs = graph.values('parameter').map((parameter) => {
    const gradient = gradients.get(parameter);
    if (!gradient) throw new Error(`the loss of ${model.name} does not depend on '${parameter.name}'`);
    return [parameter, gradient] as const;
  });
  optimizer.append(graph, appendGradientPath(graph, pairs, options));
  return overlap(fuse(graph));
}

/** The network by running statistics. Input: `image` [N,3,H,W]. Output: `logits` [N,classes]. */
export function inferenceGraph(
  model: Model,
  options: PictureBatch & { precision?: Precision | undefined },
): Graph {
  const graph = new Graph();
  const layers = new Layers(graph, { training: false });
  graph.output('logits', model.build(layers, pictures(graph, options), options.classes));
  return fuse(inPrecision(graph, options.precision));
}

function inPrecision(graph: Graph, precision: Precision = 'fp32'): Graph {
  return precision === 'fp32' ? graph : autocast(graph, precision === 'bf16' ? 'bf16' : 'f16');
}

function pictures(graph: Graph, { batchSize, height, width }: PictureBatch) {
  return graph.input('image', [batchSize, 3, height, width]);
}
