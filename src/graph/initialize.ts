import { fillNormal } from '../random/normal.js';
import { type PhiloxKey, philoxKey, randomPurpose } from '../random/philox.js';
import { elements, type Graph } from './graph.js';

/**
 * First values of all parameters and statistics, by name, in the plain order of their shapes.
 * Each tensor is drawn by (seed, name) alone, so neither the order of the layers nor who asks matters.
 * @throws RangeError when the seed is not a safe integer
 */
export function initialValues(graph: Graph, seed: number | PhiloxKey): Map<string, Float32Array> {
  const key = philoxKey(seed);
  const values = [...graph.values('parameter'), ...graph.values('statistic')];
  return new Map(
    values.map((value) => {
      const data = new Float32Array(elements(value));
      const { name, initializer } = value;
      if (!initializer) throw new Error(`'${name}' has no initializer`);
      if (initializer.kind === 'constant') data.fill(initializer.value);
      else fillNormal(data, key, [0, fnv1a(name), randomPurpose.initialWeights], { std: initializer.std });
      return [name, data];
    }),
  );
}

/** FNV-1a, 32 bits, of the text's UTF-8 bytes. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
