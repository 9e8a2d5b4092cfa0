import type { Value } from './graph.js';

/** Parameters with their gradients, of values that name them in turn. */
export function gradientPairs(
  values: readonly Value[],
): Array<readonly [parameter: Value, gradient: Value, index: number]> {
  return values.flatMap((parameter, at) => {
    const gradient = values[at + 1];
    return at % 2 === 0 && gradient ? [[parameter, gradient, at / 2] as const] : [];
  });
}
