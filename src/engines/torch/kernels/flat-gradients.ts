import { gradientPairs } from '../../../graph/gradient-pairs.js';
import type { Value } from '../../../graph/graph.js';
import type { Emitter } from '../emitter.js';

/** Sees that every gradient is in its place in the flat buffer. @returns the parameters */
export function settleGradients(pairs: readonly Value[], emitter: Emitter): Value[] {
  return gradientPairs(pairs).map(([parameter, gradient]) => {
    emitter.settleGradient(parameter, gradient);
    return parameter;
  });
}
