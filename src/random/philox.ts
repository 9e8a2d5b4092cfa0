/**
 * Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
 * (2011): 128 random bits are a pure function of a 64-bit key and a 128-bit counter, so whoever knows the
 * counter has the number, in any order and on any thread.
 */

/** The two words of a key, low one first; only the 32 bits of each count, signed or not. */
export type PhiloxKey = readonly [low: number, high: number] | Int32Array | Uint32Array;

/**
 * What a `RandomStream` draws for: the highest word of its counters, so that two users of one seed never see
 * the same numbers. All are above 2^31; whoever counts steps in that word stays below.
 */
export const randomPurpose = {
  permutation: 0x80000001,
  trainTransforms: 0x80000002,
  valTransforms: 0x80000003,
  initialWeights: 0x80000004,
} as const;

const twoTo32 = 2 ** 32;

/**
 * The key of a seed.
 * @param seed a safe integer (a negative one in two's complement), or 64 bits as [low word, high word]
 * @throws RangeError when a number is not a safe integer
 */
export function philoxKey(seed: number | PhiloxKey): PhiloxKey {
  if (typeof seed !== 'number') return [low(seed) >>> 0, high(seed) >>> 0];
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a whole number within 2^53, not ${seed}`);
  return [seed >>> 0, Math.floor(seed / twoTo32) >>> 0];
}

function low(key: PhiloxKey): number {
  return (key[0] ?? 0) | 0;
}

function high(key: PhiloxKey): number {
  return (key[1] ?? 0) | 0;
}

/**
 * Writes the four words of one block to `out[at]` and after; allocates nothing.
 * The 64-bit products are put together from 16-bit halves, whose partial sums stay below 2^32.
 */
export function philox4x32(
  out: Uint32Array,
  at: number,
  key: PhiloxKey,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  rounds(out, at, low(key), high(key), c0 | 0, c1 | 0, c2 | 0, c3 | 0);
}

// int32 in and out: the compiler then keeps everything in integer registers
function rounds(
  out: Uint32Array,
  at: number,
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  for (let round = 0; round < 10; round++) {
    // c0 * 0xd2511f53
    const a = c0 & 0xffff;
    const b = c0 >>> 16;
    const ab0 = Math.imul(a, 0x1f53);
    const ab1 = (Math.imul(b, 0x1f53) + (ab0 >>> 16)) | 0;
    const ab2 = (Math.imul(a, 0xd251) + (ab1 & 0xffff)) | 0;
    const high0 = (Math.imul(b, 0xd251) + (ab1 >>> 16) + (ab2 >>> 16)) | 0;
    // c2 * 0xcd9e8d57
    const c = c2 & 0xffff;
    const d = c2 >>> 16;
    const cd0 = Math.imul(c, 0x8d57);
    const cd1 = (Math.imul(d, 0x8d57) + (cd0 >>> 16)) | 0;
    const cd2 = (Math.imul(c, 0xcd9e) + (cd1 & 0xffff)) | 0;
    const high2 = (Math.imul(d, 0xcd9e) + (cd1 >>> 16) + (cd2 >>> 16)) | 0;

    c0 = high2 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = (cd2 << 16) | (cd0 & 0xffff);
    c3 = (ab2 << 16) | (ab0 & 0xffff);
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}

/**
 * Fills `out` with the numbers of one place (c1, c2, c3): word i is word i % 4 of the block with the counter
 * (floor(i / 4), c1, c2, c3). About 100 million words a second.
 * @param from first block, to fill a long row in parts
 */
export function fillUint32(
  out: Uint32Array,
  key: PhiloxKey,
  [c1, c2, c3]: readonly [c1: number, c2: number, c3: number],
  from = 0,
): void {
  const k0 = low(key);
  const k1 = high(key);
  const whole = out.length & ~3;
  let block = from | 0;
  for (let at = 0; at < whole; at += 4) {
    rounds(out, at, k0, k1, block, c1 | 0, c2 | 0, c3 | 0);
    block = (block + 1) | 0;
  }
  if (whole < out.length) {
    const last = new Uint32Array(4);
    rounds(last, 0, k0, k1, block, c1 | 0, c2 | 0, c3 | 0);
    out.set(last.subarray(0, out.length - whole), whole);
  }
}
