/**
 * What two pictures are compared by: the differences of neighbours in a 9 x 8 grey thumbnail as 64 bits (dHash,
 * N. Krawetz, "Kind of Like That", hackerfactor.com, 2013), and a 16 x 16 thumbnail to be sure.
 */
export const thumbnailSide = 16;

/** Bits of a hash that two near duplicates may differ in; with four bands of 16 bits one band is then the same. */
export const mostDifferentBits = 3;

/** Mean difference of grey levels (0-255) that two thumbnails of near duplicates may have. */
const mostDifferentLevels = 6;

/** Standard deviation of grey levels below which a picture has nothing to tell it by. */
const leastContrast = 6;

/** Four bands of 16 bits. @param grey a 9 x 8 thumbnail, rows from the top */
export function differenceHash(grey: Uint8Array): Uint16Array {
  const bands = new Uint16Array(4);
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      const left = grey[row * 9 + column] as number;
      const right = grey[row * 9 + column + 1] as number;
      if (left < right) bands[row >> 1] = (bands[row >> 1] as number) | (1 << ((row & 1) * 8 + column));
    }
  }
  return bands;
}

/** Number of bits that differ. */
export function hashDistance(a: Uint16Array, b: Uint16Array): number {
  let distance = 0;
  for (let band = 0; band < 4; band++) {
    for (let bits = (a[band] as number) ^ (b[band] as number); bits; bits &= bits - 1) distance++;
  }
  return distance;
}

/** Whether two thumbnails of `thumbnailSide` squared show the same. */
export function looksTheSame(a: Uint8Array, b: Uint8Array): boolean {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += Math.abs((a[index] as number) - (b[index] as number));
  return sum <= mostDifferentLevels * a.length;
}

/** Whether a thumbnail shows enough to be compared: a blank page resembles every other. */
export function hasContrast(grey: Uint8Array): boolean {
  let sum = 0;
  let squares = 0;
  for (const level of grey) {
    sum += level;
    squares += level * level;
  }
  const mean = sum / grey.length;
  return squares / grey.length - mean * mean >= leastContrast ** 2;
}
