import { Graph } from '../graph/graph.js';
import { logSoftmax } from '../graph/ops/log-softmax.js';
import { type Summary, summarize } from '../graph/summary.js';
import { checkPictureSize } from './index.js';
import { Layers } from './layers.js';
import type { Model } from './model.js';

export interface SummarizeModelOptions {
  /** Height and width of the pictures in pixels; the model's own by default. */
  size?: number | undefined;
  classes: number;
  /** A row for every layer instead of one for each module. */
  layers?: boolean | undefined;
}

/**
 * The layer table of a model as it is trained, up to the log-softmax that the loss takes.
 * @throws UserError when the pictures are too small for it
 */
export function summarizeModel(model: Model, options: SummarizeModelOptions): Summary {
  const { size = model.defaultSize, classes, layers = false } = options;
  checkPictureSize(model, size);
  const graph = new Graph();
  // two pictures: of one alone, batch norm over a plane of 1 x 1 has no variance
  const image = graph.input('image', [2, 3, size, size]);
  const logits = model.build(new Layers(graph, { training: true }), image, classes);
  graph.apply(logSoftmax, {}, [logits], 'logSoftmax');
  return summarize(graph, { layers });
}
