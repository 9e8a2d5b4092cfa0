import { type PhiloxKey, philox4x32, philoxKey } from './philox.js';

const perUnit = 2 ** -32;

/**
 * Random numbers one after the other, from the place (seed, purpose, a, b) on; moving to another place costs
 * nothing and allocates nothing. 2^34 words are there at each place.
 * @example
 * const random = new RandomStream(seed, randomPurpose.trainTransforms);
 * random.seek(epoch, sample);
 * if (random.uniform() < 0.5) flip();
 */
export class RandomStream {
  readonly #key: PhiloxKey;
  readonly #purpose: number;
  readonly #words = new Uint32Array(4);
  #used = 4;
  #block = 0;
  #a = 0;
  #b = 0;

  /** @param purpose one of `randomPurpose` */
  constructor(seed: number | PhiloxKey, purpose: number) {
    this.#key = philoxKey(seed);
    this.#purpose = purpose;
  }

  /** Moves to the first number of the place (a, b), two words such as epoch and sample. */
  seek(a: number, b: number): void {
    this.#a = a;
    this.#b = b;
    this.#block = 0;
    this.#used = 4;
  }

  /** 32 random bits. */
  uint32(): number {
    if (this.#used === 4) {
      philox4x32(this.#words, 0, this.#key, this.#block, this.#b, this.#a, this.#purpose);
      this.#block++;
      this.#used = 0;
    }
    return this.#words[this.#used++] as number;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() * perUnit;
  }

  /** A whole number in [0, n), each equally likely; 1 <= n <= 2^32. */
  below(n: number): number {
    let word = this.uint32();
    // the last 2^32 % n words would favour the small numbers
    if (word > 0xffffffff - n) {
      const fair = 0x100000000 - (0x100000000 % n);
      while (word >= fair) word = this.uint32();
    }
    return word % n;
  }

  /** A draw from the normal distribution of mean 0 and standard deviation 1 (Box-Muller, two words a draw). */
  normal(): number {
    return boxMuller(this.uint32(), this.uint32());
  }
}

/** A draw from the standard normal distribution out of two random words. */
export function boxMuller(radius: number, angle: number): number {
  // (0, 1] keeps the logarithm finite
  return Math.sqrt(-2 * Math.log((radius + 1) * perUnit)) * Math.cos(2 * Math.PI * perUnit * angle);
}
