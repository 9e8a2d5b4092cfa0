/** One value per channel, on the scale 0 to 255. */
export interface Rgb {
  readonly R: number;
  readonly G: number;
  readonly B: number;
}

/** Numbers per picture: the sums of R, G, B, then the sums of their squares. */
const sumsPerPicture = 6;

/** Sums over RGB pixels, exact: whole numbers below 2^53. */
export function pixelSums(pixels: Uint8Array): number[] {
  let [r, g, b, rr, gg, bb] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i] as number;
    const green = pixels[i + 1] as number;
    const blue = pixels[i + 2] as number;
    r += red;
    g += green;
    b += blue;
    rr += red * red;
    gg += green * green;
    bb += blue * blue;
  }
  return [r, g, b, rr, gg, bb];
}

/** Mean and standard deviation over many pictures' pixels; exact sums, so the order plays no part. */
export class ChannelStatistics {
  readonly #sums = new Array<bigint>(sumsPerPicture).fill(0n);
  #pixels = 0n;

  /** @param sums as `pixelSums` gives them, over `pixels` pixels */
  add(sums: ArrayLike<number>, pixels: number): void {
    for (let i = 0; i < sumsPerPicture; i++) this.#sums[i] = (this.#sums[i] ?? 0n) + BigInt(sums[i] ?? 0);
    this.#pixels += BigInt(pixels);
  }

  /** Undefined before the first picture. */
  result(): { mean: Rgb; std: Rgb } | undefined {
    if (this.#pixels === 0n) return undefined;
    const pixels = Number(this.#pixels);
    const sum = (channel: number): bigint => this.#sums[channel] ?? 0n;
    const mean = (channel: number): number => Number(sum(channel)) / pixels;
    const std = (channel: number): number => {
      const scaled = this.#pixels * sum(channel + 3) - sum(channel) * sum(channel);
      return Math.sqrt(Number(scaled)) / pixels;
    };
    return {
      mean: { R: mean(0), G: mean(1), B: mean(2) },
      std: { R: std(0), G: std(1), B: std(2) },
    };
  }
}
