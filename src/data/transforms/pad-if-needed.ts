import { z } from 'zod';
import type { RandomStream } from '../../random/random-stream.js';
import { type DrawnStep, drawAndApply } from './drawn-step.js';
import { type BorderMode, borderOptions, type Fill } from './resampling/border.js';
import { Padding } from './resampling/padding.js';
import { defineTransform, type Size } from './transform.js';

const positions = ['center', 'top_left', 'top_right', 'bottom_left', 'bottom_right', 'random'] as const;

interface PadOptions {
  readonly minHeight?: number | undefined;
  readonly minWidth?: number | undefined;
  readonly padHeightDivisor?: number | undefined;
  readonly padWidthDivisor?: number | undefined;
  readonly position: (typeof positions)[number];
  readonly borderMode: BorderMode;
  readonly fill: Fill;
}

/** Rows and columns that are added on each side. */
export interface Pads {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The step of `PadIfNeeded`. */
export function padIfNeededStep(options: PadOptions): DrawnStep<Pads> {
  const padding = new Padding(options);
  const pads = { top: 0, bottom: 0, left: 0, right: 0 };
  return {
    draw({ height, width }, random) {
      const rows = missing(height, options.minHeight, options.padHeightDivisor);
      const columns = missing(width, options.minWidth, options.padWidthDivisor);
      pads.top = before(rows, 'top', options.position, random);
      pads.bottom = rows - pads.top;
      pads.left = before(columns, 'left', options.position, random);
      pads.right = columns - pads.left;
      return pads;
    },
    apply(picture, { top, bottom, left, right }) {
      if (top + bottom + left + right === 0) return;
      picture.settle();
      padding.set(left, top);
      picture.resample(padding, picture.width + left + right, picture.height + top + bottom);
    },
  };
}

function missing(length: number, least: number | undefined, divisor: number | undefined): number {
  if (least !== undefined) return Math.max(0, least - length);
  return divisor === undefined ? 0 : (divisor - (length % divisor)) % divisor;
}

/** How much of what is added goes before the picture. */
function before(
  added: number,
  side: 'top' | 'left',
  position: PadOptions['position'],
  random: RandomStream,
): number {
  if (position === 'center') return added >> 1;
  if (position === 'random') return random.below(added + 1);
  // a picture at the top has all of it below
  return position.includes(side) ? 0 : added;
}

/**
 * Adds rows and columns to pictures that are smaller than `minHeight` x `minWidth`, or whose sides cannot be
 * divided by `padHeightDivisor` and `padWidthDivisor`.
 * @example PadIfNeeded({ minHeight: 224, minWidth: 224, borderMode: 'reflect101' })
 */
export const PadIfNeeded = defineTransform({
  name: 'PadIfNeeded',
  options: {
    minHeight: z.int().min(1).max(8192).optional(),
    minWidth: z.int().min(1).max(8192).optional(),
    padHeightDivisor: z.int().min(1).max(8192).optional(),
    padWidthDivisor: z.int().min(1).max(8192).optional(),
    position: z.enum(positions).default('center'),
    ...borderOptions,
  },
  p: 1,
  check({ minHeight, minWidth, padHeightDivisor, padWidthDivisor }) {
    if ((minHeight === undefined) === (padHeightDivisor === undefined)) {
      return 'give either minHeight or padHeightDivisor';
    }
    if ((minWidth === undefined) === (padWidthDivisor === undefined)) {
      return 'give either minWidth or padWidthDivisor';
    }
    return undefined;
  },
  outputSize: (options, input) => input && paddedSize(options, input),
  compile: (options) => drawAndApply(padIfNeededStep(options)),
});

function paddedSize(options: Omit<PadOptions, 'position' | 'borderMode' | 'fill'>, input: Size): Size {
  return {
    height: input.height + missing(input.height, options.minHeight, options.padHeightDivisor),
    width: input.width + missing(input.width, options.minWidth, options.padWidthDivisor),
  };
}
