/** One value per channel, on the scale 0 to 255. */
export interface Rgb {
  readonly R: number;
  readonly G: number;
  readonly B: number;
}

/** Numbers per picture: the sums of R, G, B, then the sums of their squares. */
const sumsPerPicture = 6;

/** Sums over pixels of four bytes (RGBX), exact: whole numbers below 2^53. */
export function pixelSums(pixels: Uint8Array): number[] {
  const total = [0, 0, 0, 0, 0, 0];
  // in parts of 8,192 pixels, whose sums of squares stay below 2^31 and so in the processor's integers
  for (let from = 0; from < pixels.length; from += 32768) {
    let [r, g, b, rr, gg, bb] = [0, 0, 0, 0, 0, 0];
    const end = Math.min(from + 32768, pixels.length);
    for (let i = from; i < end; i += 4) {
      const red = pixels[i] as number;
      const green = pixels[i + 1] as number;
      const blue = pixels[i + 2] as number;
      r = (r + red) | 0;
      g = (g + green) | 0;
      b = (b + blue) | 0;
      rr = (rr + Math.imul(red, red)) | 0;
      gg = (gg + Math.imul(green, green)) | 0;
      bb = (bb + Math.imul(blue, blue)) | 0;
    }
    [r, g, b, rr, gg, bb].forEach((sum, index) => {
      total[index] = (total[index] ?? 0) + sum;
    });
  }
  return total;
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
