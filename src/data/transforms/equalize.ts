import { z } from 'zod';
import { lookUp } from './lookup.js';
import type { Picture } from './picture.js';
import { roundHalfEven } from './round-half-even.js';
import { defineTransform } from './transform.js';
import { countLuma, lookUpLuma } from './ycrcb.js';

interface Options {
  readonly mode: 'cv' | 'pil';
  readonly byChannels: boolean;
}

/** Counts of the values (two sets) and the tables made of them, 256 of each channel. */
export class EqualizeScratch {
  readonly counts = new Int32Array(1536);
  readonly tables = new Uint8Array(768);
}

export function apply(picture: Picture, { mode, byChannels }: Options, scratch: EqualizeScratch): void {
  const { counts, tables } = scratch;
  const fill = mode === 'cv' ? fillAsOpenCv : fillAsPillow;
  const pixels = picture.width * picture.height;
  counts.fill(0);
  if (!byChannels) {
    countLuma(picture, counts);
    fill(counts, 0, pixels, tables);
    lookUpLuma(picture, tables);
    return;
  }
  countChannels(picture, counts);
  for (let base = 0; base < 768; base += 256) fill(counts, base, pixels, tables);
  lookUp(picture, tables);
}

/** Counts values: even pixels into the first 768 counts, odd ones into the rest, which are then added. */
function countChannels(picture: Picture, counts: Int32Array): void {
  const { pixels, offset, stride, width, height } = picture;
  const rowBytes = width * 3;
  const { kernels, address } = picture.geometry();
  if (kernels) {
    kernels.loops.countChannels(address + offset, stride, width, height);
    counts.set(kernels.counts);
    return;
  }
  for (let row = 0, at = offset; row < height; row++, at += stride) {
    countRow(pixels, at, at + rowBytes, counts);
  }
  for (let at = 0; at < 768; at++) (counts[at] as number) += counts[768 + at] as number;
}

// two sets of counts: neighbours are often alike, and a count cannot go up twice at once
function countRow(pixels: Uint8Array, from: number, to: number, counts: Int32Array): void {
  let at = from;
  for (; at <= to - 6; at += 6) {
    (counts[pixels[at] as number] as number)++;
    (counts[256 + (pixels[at + 1] as number)] as number)++;
    (counts[512 + (pixels[at + 2] as number)] as number)++;
    (counts[768 + (pixels[at + 3] as number)] as number)++;
    (counts[1024 + (pixels[at + 4] as number)] as number)++;
    (counts[1280 + (pixels[at + 5] as number)] as number)++;
  }
  if (at === to) return;
  (counts[pixels[at] as number] as number)++;
  (counts[256 + (pixels[at + 1] as number)] as number)++;
  (counts[512 + (pixels[at + 2] as number)] as number)++;
}

/** OpenCV's equalizeHist: the least value goes to 0, the rest by its share of the pixels above the least. */
function fillAsOpenCv(counts: Int32Array, base: number, pixels: number, tables: Uint8Array): void {
  let value = 0;
  while (counts[base + value] === 0) value++;
  const least = counts[base + value] as number;
  if (least === pixels) {
    tables.fill(value, base, base + 256);
    return;
  }
  const scale = Math.fround(255 / (pixels - least));
  tables.fill(0, base, base + value + 1);
  for (let sum = 0, x = value + 1; x < 256; x++) {
    sum += counts[base + x] as number;
    tables[base + x] = roundHalfEven(Math.fround(sum * scale));
  }
}

/** Pillow's equalize, as albumentations has it: steps of equally many pixels. */
function fillAsPillow(counts: Int32Array, base: number, pixels: number, tables: Uint8Array): void {
  let last = 255;
  while (counts[base + last] === 0) last--;
  const step = Math.floor((pixels - (counts[base + last] as number)) / 255);
  const half = step >> 1;
  for (let sum = 0, x = 0; x < 256; x++) {
    sum += counts[base + x] as number;
    tables[base + x] = step === 0 ? x : Math.min(255, Math.floor((sum + half) / step));
  }
}

/**
 * Spreads the grey values so that each occurs about as often as any other: red, green and blue on their own, or
 * the luma alone without `byChannels`. Mode 'cv' is OpenCV's formula, 'pil' Pillow's.
 * @example Equalize({ mode: 'cv', byChannels: true, p: 0.5 })
 */
export const Equalize = defineTransform({
  name: 'Equalize',
  options: {
    mode: z.enum(['cv', 'pil']).default('cv'),
    byChannels: z.boolean().default(true),
  },
  p: 0.5,
  compile: (options) => {
    const scratch = new EqualizeScratch();
    return (picture) => apply(picture, options, scratch);
  },
});
