import type { Interpolation } from './interpolation.js';
import type { PixelBuffer } from './pixel-buffer.js';
import type { PixelSource, Resampling, Window } from './resampling.js';
import { resizeCubic } from './resize-cubic.js';
import type { ResizeKernel } from './resize-kernel.js';
import { resizeLinear } from './resize-linear.js';
import { resizeNearest } from './resize-nearest.js';

const kernels: Readonly<Record<Interpolation, () => ResizeKernel>> = {
  nearest: resizeNearest,
  linear: resizeLinear,
  cubic: resizeCubic,
};

/** Brings a picture to another size, as OpenCV's `resize` does. */
export class Resizing implements Resampling {
  readonly #kernel: ResizeKernel;
  #width = 0;
  #height = 0;

  constructor(interpolation: Interpolation) {
    this.#kernel = kernels[interpolation]();
  }

  /** The size that whole pictures are brought to. */
  set(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
  }

  render(source: PixelSource, window: Window, target: PixelBuffer): void {
    const { columns, rows } = this.#kernel;
    columns.plan({
      source: source.width,
      target: this.#width,
      from: window.left,
      count: window.width,
      unit: source.step,
    });
    rows.plan({
      source: source.height,
      target: this.#height,
      from: window.top,
      count: window.height,
      unit: source.stride,
    });
    this.#kernel.render(source, window, target.bytes);
  }
}
