import { differentiate } from '../graph/differentiate.js';
import { fuse } from '../graph/fuse.js';
import { Graph, type Value } from '../graph/graph.js';
import { allReduceGradients } from '../graph/ops/all-reduce.js';
import { softmaxCrossEntropy } from '../graph/ops/loss.js';
import { type Initialization, Layers } from '../models/layers.js';
import type { Model } from '../models/model.js';
import type { Optimizer } from './optimizers/index.js';

export interface PictureBatch {
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Height of the pictures in pixels. */
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

export interface TrainingGraphOptions extends PictureBatch {
  readonly optimizer: Optimizer;
  /** Share of the target that is spread over all classes, 0 to below 1. Default 0. */
  readonly labelSmoothing?: number;
  readonly initialization?: Initialization;
  /** Replicas that share a step; their gradients are added up, each weighted by the input `share`. Default 1. */
  readonly replicas?: number;
  /** Whether batch norms take their statistics over the pictures of all replicas. Default false. */
  readonly syncBatchNorm?: boolean;
}

/**
 * One training step: forward, loss, gradients, running statistics, update.
 * Inputs: `image` [N,3,H,W] f32, `labels` [N] i32 (-1: left out), the optimizer's scalars, and for models with
 * dropout `seed` [2] and `step` [1], both i32; with replicas `share` [1] f32, the replica's part of the step's
 * pictures. Outputs: `loss` [1], `logits` [N,classes].
 * @throws UserError when the pictures do not fit the model
 */
export function trainingGraph(model: Model, options: TrainingGraphOptions): Graph {
  const { batchSize, classes, optimizer, labelSmoothing = 0, initialization = 'xavier' } = options;
  const { replicas = 1, syncBatchNorm = false } = options;
  const graph = new Graph();
  const layers = new Layers(graph, {
    training: true,
    initialization,
    replicas: syncBatchNorm ? replicas : 1,
  });
  const logits = model.build(layers, pictures(graph, options), classes);
  const labels = graph.input('labels', [batchSize], 'i32');
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing }, [logits, labels], 'loss');
  const seed = replicas > 1 ? { seed: graph.input('share', [1]) } : {};
  const gradients = differentiate(graph, { loss, ...seed });
  layers.updateStatistics();
  const pairs = graph.values('parameter').map((parameter) => {
    const gradient = gradients.get(parameter);
    if (!gradient) throw new Error(`the loss of ${model.name} does not depend on '${parameter.name}'`);
    return [parameter, gradient] as const;
  });
  optimizer.append(graph, replicas > 1 ? reduced(graph, pairs) : pairs);
  graph.output('loss', loss);
  graph.output('logits', logits);
  return fuse(graph);
}

type Pair = readonly [parameter: Value, gradient: Value];

/** The gradients, added up over all replicas. */
function reduced(graph: Graph, pairs: readonly Pair[]): Pair[] {
  const sums = graph.apply(allReduceGradients, {}, pairs.flat(), 'allReduce');
  return pairs.map(([parameter, gradient], index) => [parameter, sums[index] ?? gradient]);
}

/** The network by running statistics. Input: `image` [N,3,H,W]. Output: `logits` [N,classes]. */
export function inferenceGraph(model: Model, options: PictureBatch): Graph {
  const graph = new Graph();
  const layers = new Layers(graph, { training: false });
  graph.output('logits', model.build(layers, pictures(graph, options), options.classes));
  return fuse(graph);
}

function pictures(graph: Graph, { batchSize, height, width }: PictureBatch) {
  return graph.input('image', [batchSize, 3, height, width]);
}
