import { elements, type Graph, type Value } from '../graph/graph.js';
import { allReduceGradients, beginAllReduce, finishAllReduce } from '../graph/ops/all-reduce.js';
import {
  accumulateGradients,
  clipGradientNorm,
  clipGradientValue,
  unscaleGradients,
} from '../graph/ops/gradients.js';
import type { ParameterGradient } from './optimizers/optimizer.js';

/** What happens to the gradients on their way to the optimizer. */
export interface GradientPath {
  /** Micro-batches of a step; their gradients are added up. Default 1. */
  readonly accumulate?: number | undefined;
  /** Replicas that share a step; their gradients are added up. Default 1. */
  readonly replicas?: number | undefined;
  /** Whether the sums over the replicas go on beside the backward pass; not with micro-batches. Default false. */
  readonly overlap?: boolean | undefined;
  /** Largest norm over all gradients. */
  readonly clipNorm?: number | undefined;
  /** Largest magnitude of each number. */
  readonly clipValue?: number | undefined;
  /** Whether the loss is scaled against underflow (fp16). */
  readonly scaled?: boolean | undefined;
}

/** Bytes of gradients that are summed at once beside the backward pass: few messages, and the first of them early. */
const bucketBytes = 2 ** 20;

/** Whether the graph takes the gradient of the loss as the input `lossWeight`, instead of 1. */
export function weighsLoss({ accumulate = 1, replicas = 1, scaled = false }: GradientPath): boolean {
  return accumulate > 1 || replicas > 1 || scaled;
}

/**
 * Appends the way of the gradients: added up over the micro-batches, and then, in the part of the graph that a run
 * may leave out, added up over the replicas, unscaled and checked, clipped. Inputs where they are asked for, each [1]: `keep`, `lossScale`,
 * `clipNorm`, `clipValue`. Outputs where they are asked for: `foundInfinite`, `gradientNorm`.
 */
export function appendGradientPath(
  graph: Graph,
  pairs: readonly ParameterGradient[],
  { accumulate = 1, replicas = 1, clipNorm, clipValue, scaled = false, overlap = false }: GradientPath,
): ParameterGradient[] {
  const inputs = (name: string, now: readonly ParameterGradient[]): Value[] => [
    graph.input(name, [1]),
    ...now.flat(),
  ];
  let current = [...pairs];
  const goOn = (gradients: readonly Value[]): void => {
    current = current.map(([parameter, before], index) => [parameter, gradients[index] ?? before]);
  };
  if (accumulate > 1) goOn(graph.apply(accumulateGradients, {}, inputs('keep', current), 'accumulate'));
  const begun = overlap && replicas > 1 && accumulate === 1;
  if (begun) current = beginSums(graph, current);
  graph.beginUpdate();
  if (begun) goOn(graph.apply(finishAllReduce, {}, current.flat(), 'finishAllReduce'));
  else if (replicas > 1) goOn(graph.apply(allReduceGradients, {}, current.flat(), 'allReduce'));
  if (scaled) {
    const [found, ...gradients] = graph.apply(unscaleGradients, {}, inputs('lossScale', current), 'unscale');
    if (found) graph.output('foundInfinite', found);
    goOn(gradients);
  }
  if (clipNorm !== undefined) {
    const [norm, ...gradients] = graph.apply(clipGradientNorm, {}, inputs('clipNorm', current), 'clipNorm');
    if (norm) graph.output('gradientNorm', norm);
    goOn(gradients);
  }
  if (clipValue !== undefined) {
    goOn(graph.apply(clipGradientValue, {}, inputs('clipValue', current), 'clipValue'));
  }
  return current;
}

/** Appends the begin of each bucket's sum; `overlap` of the graph moves it to where its gradients are made. */
function beginSums(graph: Graph, pairs: readonly ParameterGradient[]): ParameterGradient[] {
  const sums = new Map<Value, Value>();
  for (const [at, bucket] of buckets(pairs).entries()) {
    const results = graph.apply(beginAllReduce, {}, bucket.flat(), `beginAllReduce.${at}`);
    bucket.forEach(([parameter, before], index) => {
      sums.set(parameter, results[index] ?? before);
    });
  }
  return pairs.map(([parameter, before]) => [parameter, sums.get(parameter) ?? before]);
}

/**
 * Neighbours in the flat buffers that together are as large as a bucket; cut from the end, where the backward pass
 * begins. What does not decay is little, and the last of it is made at the end.
 */
function buckets(pairs: readonly ParameterGradient[]): ParameterGradient[][] {
  const result: ParameterGradient[][] = [];
  const rest = pairs.filter(([parameter]) => !parameter.decays);
  let bytes = bucketBytes;
  for (const pair of pairs.toReversed().filter(([parameter]) => parameter.decays)) {
    if (bytes >= bucketBytes) {
      result.unshift([]);
      bytes = 0;
    }
    result[0]?.unshift(pair);
    bytes += 4 * elements(pair[0]);
  }
  return rest.length > 0 ? [...result, rest] : result;
}
