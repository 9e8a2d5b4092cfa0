import { createHash } from 'node:crypto';

/** Bytes of a picture's random draws: the first half is its name, the second its order within its class. */
export const drawBytes = 32;

/**
 * Writes the random draws of the picture at `index`: they depend on the seed and its path only, not on
 * other pictures.
 * @param file path below the pictures' folder, '/' between parts
 */
export function drawInto(draws: Buffer, index: number, seed: number, file: string): void {
  createHash('sha256')
    .update(`${seed}\0${file}`)
    .digest()
    .copy(draws, index * drawBytes);
}

/** How many of a class's `count` pictures are for validation: never all, and at least one of two or more. */
export function validationCount(count: number, valSplit: number): number {
  if (valSplit === 0 || count < 2) return 0;
  return Math.min(count - 1, Math.max(1, Math.round(count * valSplit)));
}

/**
 * The stratified split: 1 for the pictures that are for validation. Leaving a picture out moves at most one
 * other of its class.
 * @param pictures.isIn false for a picture that is left out
 */
export function splitPictures(
  pictures: {
    readonly length: number;
    readonly classes: Int32Array;
    readonly draws: Buffer;
    readonly isIn: (index: number) => boolean;
  },
  valSplit: number,
): Uint8Array {
  const { length, draws } = pictures;
  const validation = new Uint8Array(length);
  if (valSplit === 0) return validation;
  const half = drawBytes / 2;
  for (const members of byClass(pictures)) {
    members.sort((a, b) => {
      const [x, y] = [a * drawBytes + half, b * drawBytes + half];
      return draws.compare(draws, y, y + half, x, x + half);
    });
    for (const index of members.subarray(0, validationCount(members.length, valSplit))) validation[index] = 1;
  }
  return validation;
}

/** Indices of the pictures of each class, as parts of one array. */
function byClass({ length, classes, isIn }: Parameters<typeof splitPictures>[0]): Uint32Array[] {
  const counts: number[] = [];
  let total = 0;
  for (let index = 0; index < length; index++) {
    if (!isIn(index)) continue;
    const id = classes[index] as number;
    counts[id] = (counts[id] ?? 0) + 1;
    total++;
  }
  const all = new Uint32Array(total);
  const next: number[] = [];
  const parts: Uint32Array[] = [];
  let from = 0;
  for (const [id, count = 0] of counts.entries()) {
    next[id] = from;
    parts.push(all.subarray(from, from + count));
    from += count;
  }
  for (let index = 0; index < length; index++) {
    if (!isIn(index)) continue;
    const id = classes[index] as number;
    all[next[id] as number] = index;
    next[id] = (next[id] as number) + 1;
  }
  return parts;
}
