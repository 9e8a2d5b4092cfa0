import type { RandomStream } from '../../random/random-stream.js';
import { clampByte } from './clamp-byte.js';
import { HsvShift } from './hsv.js';
import { fillLinear, lookUp } from './lookup.js';
import { grey, meanGrey } from './luma.js';
import type { Picture } from './picture.js';
import { roundHalfEven } from './round-half-even.js';
import { defineTransform } from './transform.js';
import { around0, drawFrom, type Range, valueRange } from './value-range.js';

interface Options {
  readonly brightness: Range;
  readonly contrast: Range;
  readonly saturation: Range;
  readonly hue: Range;
}

/** Factors, the part of the circle by which the hue turns, and the order of the four steps. */
interface Jitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
  /** Of 0 brightness, 1 contrast, 2 saturation, 3 hue. */
  readonly order: ArrayLike<number>;
}

/** Tables of one thread. */
export class JitterScratch {
  readonly tables = new Uint8Array(768);
  readonly hsv = new HsvShift();
  readonly order = new Uint8Array(4);
}

export function draw(
  options: Options,
  _picture: Picture,
  random: RandomStream,
  order = new Uint8Array(4),
): Jitter {
  const brightness = drawFrom(options.brightness, random);
  const contrast = drawFrom(options.contrast, random);
  const saturation = drawFrom(options.saturation, random);
  const hue = drawFrom(options.hue, random);
  shuffle(order, random);
  return { brightness, contrast, saturation, hue, order };
}

/** Puts 0, 1, 2, 3 into the array, in any order with equal chances. */
function shuffle(order: Uint8Array, random: RandomStream): void {
  for (let at = 0; at < 4; at++) {
    const from = random.below(at + 1);
    order[at] = order[from] as number;
    order[from] = at;
  }
}

export function apply(picture: Picture, jitter: Jitter, scratch: JitterScratch): void {
  const { tables, hsv } = scratch;
  for (let at = 0; at < 4; at++) {
    const step = jitter.order[at];
    if (step === 0) scaleBrightness(picture, jitter.brightness, tables);
    else if (step === 1) scaleContrast(picture, jitter.contrast, tables);
    else if (step === 2) scaleSaturation(picture, jitter.saturation);
    else turnHue(picture, jitter.hue, hsv);
  }
}

function scaleBrightness(picture: Picture, factor: number, tables: Uint8Array): void {
  if (factor === 1) return;
  fillLinear(tables, factor, 0);
  lookUp(picture, tables);
}

/** Towards the picture's mean grey, or away from it. */
function scaleContrast(picture: Picture, factor: number, tables: Uint8Array): void {
  if (factor === 1) return;
  const mean = meanGrey(picture);
  if (factor === 0) tables.fill(Math.floor(mean + 0.5));
  else fillLinear(tables, factor, mean * (1 - factor));
  lookUp(picture, tables);
}

/** Towards each pixel's grey, or away from it. */
function scaleSaturation(picture: Picture, factor: number): void {
  if (factor === 1) return;
  const { pixels, offset, stride, height } = picture;
  const rowBytes = picture.width * 3;
  const rest = 1 - factor;
  for (let row = 0, start = offset; row < height; row++, start += stride) {
    const end = start + rowBytes;
    for (let at = start; at < end; at += 3) {
      const r = pixels[at] as number;
      const g = pixels[at + 1] as number;
      const b = pixels[at + 2] as number;
      const base = grey(r, g, b) * rest;
      pixels[at] = roundHalfEven(clampByte(r * factor + base));
      pixels[at + 1] = roundHalfEven(clampByte(g * factor + base));
      pixels[at + 2] = roundHalfEven(clampByte(b * factor + base));
    }
  }
}

function turnHue(picture: Picture, part: number, hsv: HsvShift): void {
  if (part === 0) return;
  hsv.setHue(180 * part);
  hsv.setSaturation(0);
  hsv.setValue(0);
  hsv.apply(picture);
}

/** n stands for [1 - n, 1 + n], cut off at 0. */
const around1 = (n: number): Range => [Math.max(0, 1 - n), 1 + n];
const factor = () =>
  valueRange({ within: [0, Number.POSITIVE_INFINITY], default: [0.8, 1.2], single: around1 });

/**
 * Scales brightness, contrast and saturation by factors and turns the hue by a part of the circle, in random
 * order, as torchvision does.
 * @example ColorJitter({ brightness: 0.2, contrast: 0.2, saturation: [0.5, 1.5], hue: 0.05, p: 0.8 })
 */
export const ColorJitter = defineTransform({
  name: 'ColorJitter',
  options: {
    brightness: factor(),
    contrast: factor(),
    saturation: factor(),
    hue: valueRange({ within: [-0.5, 0.5], default: [-0.5, 0.5], single: around0 }),
  },
  p: 0.5,
  compile: (options) => {
    const scratch = new JitterScratch();
    return (picture, random) => apply(picture, draw(options, picture, random, scratch.order), scratch);
  },
});
