import { fillUint32, type PhiloxKey } from './philox.js';
import { boxMuller } from './random-stream.js';

const part = 4096;

/**
 * Fills `out` with draws from a normal distribution, for initial weights: element i depends on the key, the
 * place (c1, c2, c3) and i only (it takes the words 2i and 2i + 1 of `fillUint32`).
 */
export function fillNormal(
  out: Float32Array,
  key: PhiloxKey,
  place: readonly [c1: number, c2: number, c3: number],
  { mean = 0, std = 1 }: { mean?: number; std?: number } = {},
): void {
  const words = new Uint32Array(Math.min(out.length, part) * 2);
  for (let start = 0; start < out.length; start += part) {
    const count = Math.min(part, out.length - start);
    // two elements a block
    fillUint32(words, key, place, start / 2);
    for (let i = 0; i < count; i++) {
      out[start + i] = mean + std * boxMuller(words[2 * i] as number, words[2 * i + 1] as number);
    }
  }
}
