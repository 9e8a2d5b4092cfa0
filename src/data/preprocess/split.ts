import { createHash } from 'node:crypto';

/** The random draws of one picture: they depend on the seed and its path only, not on other pictures. */
export interface Draw {
  /** 32 hexadecimal digits: the name in the dataset. */
  readonly name: string;
  /** 32 hexadecimal digits: the order in which pictures of a class go to validation. */
  readonly order: string;
}

/** @param file path below the pictures' folder, '/' between parts */
export function drawFor(seed: number, file: string): Draw {
  const hash = createHash('sha256').update(`${seed}\0${file}`).digest('hex');
  return { name: hash.slice(0, 32), order: hash.slice(32) };
}

/** How many of a class's `count` pictures are for validation: never all, and at least one of two or more. */
export function validationCount(count: number, valSplit: number): number {
  if (valSplit === 0 || count < 2) return 0;
  return Math.min(count - 1, Math.max(1, Math.round(count * valSplit)));
}

/**
 * The stratified split: true for the pictures that are for validation. Leaving a picture out moves
 * at most one other of its class.
 */
export function splitPictures(
  pictures: ReadonlyArray<{ readonly label: string; readonly draw: Draw } | undefined>,
  valSplit: number,
): boolean[] {
  const byLabel = new Map<string, Array<{ index: number; order: string }>>();
  pictures.forEach((picture, index) => {
    if (!picture) return;
    const members = byLabel.get(picture.label);
    const member = { index, order: picture.draw.order };
    if (members) members.push(member);
    else byLabel.set(picture.label, [member]);
  });
  const validation = new Array<boolean>(pictures.length).fill(false);
  for (const members of byLabel.values()) {
    members.sort((a, b) => (a.order < b.order ? -1 : 1));
    for (const { index } of members.slice(0, validationCount(members.length, valSplit))) {
      validation[index] = true;
    }
  }
  return validation;
}
