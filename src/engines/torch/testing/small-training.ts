import { differentiate } from '../../../graph/differentiate.js';
import { fuse } from '../../../graph/fuse.js';
import { Graph } from '../../../graph/graph.js';
import { softmaxCrossEntropy } from '../../../graph/ops/loss.js';
import { sgd } from '../../../graph/ops/optimizers.js';
import { createModel } from '../../../models/index.js';
import { Layers } from '../../../models/layers.js';
import type { HostArray } from '../../engine.js';

export interface SmallTraining {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, HostArray>>;
}

/** A training step of a small residual network on pictures of 8 px, with inputs that always are the same. */
export function smallTraining(): SmallTraining {
  const [batch, classes, pixels] = [4, 3, 8];
  const graph = new Graph();
  const layers = new Layers(graph, { training: true });
  const image = graph.input('image', [batch, 3, pixels, pixels]);
  const labels = graph.input('labels', [batch], 'i32');
  const model = createModel({ family: 'resnet', stages: [[16, 1]] });
  const logits = model.build(layers, image, classes);
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0.1 }, [logits, labels], 'loss');
  const gradients = differentiate(graph, { loss });
  layers.updateStatistics();
  const scalars = ['learningRate', 'momentum', 'weightDecay'].map((name) => graph.input(name, [1]));
  const pairs = [...gradients].flat();
  graph.beginUpdate();
  graph.apply(sgd, { nesterov: true }, [...scalars, ...pairs], 'sgd');
  graph.output('loss', loss);
  return {
    graph: fuse(graph),
    inputs: {
      image: Float32Array.from({ length: batch * 3 * pixels ** 2 }, (_, index) => Math.sin(index)),
      labels: Int32Array.of(0, 1, 2, -1),
      learningRate: Float32Array.of(0.01),
      momentum: Float32Array.of(0.9),
      weightDecay: Float32Array.of(1e-4),
    },
  };
}
