import { defaultSlots } from '../data/loader/options.js';
import { planActivations } from '../graph/activation-plan.js';
import { elements, type Graph } from '../graph/graph.js';
import type { Model } from '../models/model.js';
import type { GradientPath } from './gradient-path.js';
import type { Optimizer } from './optimizers/index.js';
import type { Precision } from './precision/precision.js';
import { inferenceGraph, trainingGraph } from './training-graph.js';

export interface MemoryQuestion extends GradientPath {
  readonly model: Model;
  readonly classes: number;
  /** Height and width of the pictures. */
  readonly crop: number;
  readonly optimizer: Optimizer;
  readonly precision?: Precision | undefined;
}

/** What a training needs, in bytes. */
export interface TrainingMemory {
  readonly total: number;
  /** Results of one micro-batch, forward and backward, by the memory plan. */
  readonly activations: number;
  /** The same of a validation batch, with the weights that are prepared for it. */
  readonly validation: number;
  /** Weights, gradients, what the optimizer keeps, and the copy that is written to checkpoints. */
  readonly state: number;
  /** Batches of pictures on their way to the engine. */
  readonly pictures: number;
  /** Node.js, the libraries and the code, measured. */
  readonly program: number;
}

// the largest remainder seen in six trainings with validation (0.5 to 1.6 GB), so that what is planned is enough
const program = 300e6;

/** What a training needs by the plan of its graph; nothing is compiled or run. */
export function trainingMemory(question: MemoryQuestion & { readonly batchSize: number }): TrainingMemory {
  const { model, classes, crop, batchSize, accumulate = 1, optimizer } = question;
  const micro = Math.ceil(batchSize / accumulate);
  const shape = { batchSize: micro, classes, height: crop, width: crop };
  const scaled = question.precision === 'fp16';
  const graph = trainingGraph(model, { ...question, ...shape, scaled });
  const activations = planActivations(graph).size;
  const parameters = bytesOf(graph, 'parameter');
  const statistics = bytesOf(graph, 'statistic');
  const kept = 1 + optimizer.slots.length;
  // weights in the order of inference, folded and as they came from the fold
  const inference = inferenceGraph(model, { ...shape, precision: question.precision });
  const validation = planActivations(inference).size + 2 * parameters;
  const state = parameters * (kept + 1 + (accumulate > 1 ? 1 : 0)) + statistics + parameters * kept;
  const pictures = defaultSlots * batchSize * 3 * crop * crop * Float32Array.BYTES_PER_ELEMENT;
  const total = activations + validation + state + pictures + program;
  return { total, activations, validation, state, pictures, program };
}

function bytesOf(graph: Graph, role: 'parameter' | 'statistic'): number {
  return 4 * graph.values(role).reduce((sum, value) => sum + elements(value), 0);
}

/**
 * The largest batch whose training fits, a multiple of the micro-batches; undefined where none does.
 * @param limit bytes
 * @param atMost pictures that there are
 */
export function largestBatch(
  question: MemoryQuestion,
  { limit, atMost }: { readonly limit: number; readonly atMost: number },
): { readonly batchSize: number; readonly memory: TrainingMemory } | undefined {
  const { accumulate = 1 } = question;
  const of = (parts: number): TrainingMemory =>
    trainingMemory({ ...question, batchSize: parts * accumulate });
  const most = Math.floor(atMost / accumulate);
  const fitsIn = (parts: number): boolean => of(parts).total <= limit;
  // of one picture, a batch norm may have no variance
  let [fits, tooMany] = [0, 2];
  while (tooMany <= most && fitsIn(tooMany)) [fits, tooMany] = [tooMany, tooMany * 2];
  tooMany = Math.min(tooMany, most + 1);
  while (fits > 0 && tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (fitsIn(middle)) fits = middle;
    else tooMany = middle;
  }
  return fits === 0 ? undefined : { batchSize: fits * accumulate, memory: of(fits) };
}
