import { type Affine, invertAffine } from './affine-matrix.js';
import { type BorderMode, type Fill, fillWord } from './border.js';
import type { Interpolation } from './interpolation.js';
import type { PixelBuffer } from './pixel-buffer.js';
import type { PixelSource, Resampling, Window } from './resampling.js';
import { narrow } from './span.js';
import { cubic } from './warp-cubic.js';
import { linear } from './warp-linear.js';
import { linearFast } from './warp-linear-fast.js';
import { nearest } from './warp-nearest.js';
import type { Border, WarpKernel, WarpRow } from './warp-row.js';

const kernels: Readonly<Record<Interpolation, WarpKernel>> = { nearest, linear, cubic };

/** How the pixels between and beyond those of the source are made. */
export interface WarpOptions {
  readonly interpolation: Interpolation;
  readonly borderMode: BorderMode;
  readonly fill: Fill;
}

/** Moves the pixels by an affine matrix, as OpenCV 5's `warpAffine` does: coordinates in floating point. */
export class Warp implements Resampling {
  /** Where each pixel comes from. */
  readonly #inverse: Affine = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };
  readonly #kernel: WarpKernel;
  readonly #border: Border;
  readonly #row: WarpRow = {
    target: new DataView(new ArrayBuffer(0)),
    targetAddress: 0,
    at: 0,
    x0: 0,
    dx: 0,
    y0: 0,
    dy: 0,
  };
  readonly #span = { first: 0, last: 0 };

  constructor(options: WarpOptions) {
    this.#kernel = kernels[options.interpolation];
    this.#border = { mode: options.borderMode, word: fillWord(options.fill) };
  }

  /** @param matrix where each pixel goes to; copied */
  set(matrix: Readonly<Affine>): void {
    const inverse = this.#inverse;
    inverse.a = matrix.a;
    inverse.b = matrix.b;
    inverse.c = matrix.c;
    inverse.d = matrix.d;
    inverse.e = matrix.e;
    inverse.f = matrix.f;
    invertAffine(inverse);
  }

  render(source: PixelSource, { left, top, width, height }: Window, target: PixelBuffer): void {
    const { a, b, c, d, e, f } = this.#inverse;
    const { before, after, inside, edge } = this.#kernelFor(source, target);
    const span = this.#span;
    const row = this.#row;
    const right = left + width;
    row.target = target.view;
    row.targetAddress = target.address;
    row.dx = a;
    row.dy = d;
    // a column of the window keeps its number, so that what is seen of it changes no rounding
    for (let line = 0; line < height; line++) {
      const y = top + line;
      row.at = 3 * (line * width - left);
      row.x0 = b * y + c;
      row.y0 = e * y + f;
      span.first = left;
      span.last = right;
      narrow(span, row.x0, a, before, Math.min(source.width, longest) - after - margin);
      narrow(span, row.y0, d, before, Math.min(source.height, longest) - after - margin);
      const { first, last } = span;
      if (first === last) {
        edge(source, row, left, right, this.#border);
        continue;
      }
      edge(source, row, left, first, this.#border);
      inside(source, row, first, last);
      edge(source, row, last, right, this.#border);
    }
  }

  #kernelFor(source: PixelSource, target: PixelBuffer): WarpKernel {
    const shared = source.kernels !== undefined && source.kernels === target.kernels;
    return shared && this.#kernel === linear ? linearFast : this.#kernel;
  }
}

/** What a kernel may round a coordinate up by. */
const margin = 2 ** -8;

/** Coordinates beyond are left to the kernels for the edges: the others have 15 bits for them. */
const longest = 2 ** 15;
