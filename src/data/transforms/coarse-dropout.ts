import { z } from 'zod';
import { philox4x32 } from '../../random/philox.js';
import type { RandomStream } from '../../random/random-stream.js';
import type { Picture } from './picture.js';
import { defineTransform } from './transform.js';
import { drawFrom, drawWholeFrom, type Range, valueRange } from './value-range.js';

type Fill = number | readonly [number, number, number] | 'random' | 'random_uniform';

interface Options {
  readonly numHolesRange: Range;
  readonly holeHeightRange: Range;
  readonly holeWidthRange: Range;
}

/** Holes as left, top, right, bottom, one behind the other; what is random in them grows from two words. */
interface Holes {
  readonly holes: ArrayLike<number>;
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

export function draw(
  options: Options,
  picture: Picture,
  random: RandomStream,
  holes = new Int32Array(4 * options.numHolesRange[1]),
): Holes {
  const { width, height } = picture;
  const count = drawWholeFrom(options.numHolesRange, random);
  for (let hole = 0; hole < count; hole++) {
    const holeHeight = drawLength(options.holeHeightRange, height, random);
    const holeWidth = drawLength(options.holeWidthRange, width, random);
    const top = random.below(height - holeHeight + 1);
    const left = random.below(width - holeWidth + 1);
    holes[4 * hole] = left;
    holes[4 * hole + 1] = top;
    holes[4 * hole + 2] = left + holeWidth;
    holes[4 * hole + 3] = top + holeHeight;
  }
  return { holes, count, low: random.uint32(), high: random.uint32() };
}

/** In pixels when the most is 1 or more, else as parts of the picture's side; never beyond the picture. */
function drawLength(range: Range, side: number, random: RandomStream): number {
  if (range[1] < 1) return Math.trunc(side * drawFrom(range, random));
  return drawWholeFrom([Math.min(range[0], side), Math.min(range[1], side)], random);
}

/** Fills holes as `fill` says; holds the colour and the random words that this takes. */
export class HoleFiller {
  readonly #fill: Fill;
  readonly #color = new Uint8Array(3);
  readonly #key = new Uint32Array(2);
  #words = new Uint32Array(4);

  constructor(fill: Fill) {
    this.#fill = fill;
    if (typeof fill === 'number') this.#color.fill(fill);
    else if (typeof fill !== 'string') this.#color.set(fill);
  }

  /** Random words of a row of a hole. */
  draw(hole: number, row: number, bytes: number, { low, high }: Holes): Uint32Array {
    const blocks = Math.ceil(bytes / 16);
    if (this.#words.length < 4 * blocks) this.#words = new Uint32Array(8 * blocks);
    this.#key[0] = low;
    this.#key[1] = high;
    for (let block = 0; block < blocks; block++) {
      philox4x32(this.#words, 4 * block, this.#key, block, row, hole, 0);
    }
    return this.#words;
  }

  fillRow(pixels: Uint8Array, from: number, to: number, row: number, hole: number, holes: Holes): void {
    if (this.#fill === 'random') {
      const words = this.draw(hole, row, to - from, holes);
      for (let at = from; at < to; at++) {
        const index = at - from;
        pixels[at] = (words[index >> 2] as number) >>> (8 * (index & 3));
      }
      return;
    }
    const color = this.#color;
    if (this.#fill === 'random_uniform') {
      const [word = 0] = this.draw(hole, 0, 3, holes);
      for (let channel = 0; channel < 3; channel++) color[channel] = word >>> (8 * channel);
    }
    for (let at = from; at < to; at += 3) {
      pixels[at] = color[0] as number;
      pixels[at + 1] = color[1] as number;
      pixels[at + 2] = color[2] as number;
    }
  }
}

export function apply(picture: Picture, drawn: Holes, filler: HoleFiller): void {
  const { pixels, width, offset, stride, mirrored } = picture;
  const { holes } = drawn;
  for (let hole = 0; hole < drawn.count; hole++) {
    const left = holes[4 * hole] as number;
    const right = holes[4 * hole + 2] as number;
    const from = offset + 3 * (mirrored ? width - right : left);
    const top = holes[4 * hole + 1] as number;
    const rows = (holes[4 * hole + 3] as number) - top;
    for (let row = 0; row < rows; row++) {
      const start = from + (top + row) * stride;
      filler.fillRow(pixels, start, start + 3 * (right - left), row, hole, drawn);
    }
  }
}

const level = z.number().min(0, 'a grey level is from 0 to 255').max(255, 'a grey level is from 0 to 255');
const holeSize = () =>
  valueRange({ within: [0, Number.POSITIVE_INFINITY], default: [0.1, 0.2] }).refine(
    ([least, most]) => most < 1 || (Number.isInteger(least) && Number.isInteger(most)),
    { error: 'it must be a pair of parts below 1 of the side of the picture, or of whole pixels' },
  );

/**
 * Covers rectangles of the picture. Their heights and widths are drawn in pixels, or as parts below 1 of the
 * picture's sides. `fill` is a grey level, a colour, 'random' (each pixel its own) or 'random_uniform' (each
 * hole its own colour).
 * @example CoarseDropout({ numHolesRange: [1, 4], holeHeightRange: [8, 32], holeWidthRange: [8, 32], p: 0.3 })
 */
export const CoarseDropout = defineTransform({
  name: 'CoarseDropout',
  options: {
    numHolesRange: valueRange({ within: [1, 10_000], default: [1, 2], whole: true }),
    holeHeightRange: holeSize(),
    holeWidthRange: holeSize(),
    fill: z
      .union([level, z.tuple([level, level, level]), z.enum(['random', 'random_uniform'])], {
        error: "it must be a grey level of 0 to 255, three of them, 'random' or 'random_uniform'",
      })
      .default(0),
  },
  p: 0.5,
  compile: (options) => {
    const holes = new Int32Array(4 * options.numHolesRange[1]);
    const filler = new HoleFiller(options.fill);
    return (picture, random) => apply(picture, draw(options, picture, random, holes), filler);
  },
});
