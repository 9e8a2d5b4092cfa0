import { type BorderMode, borderIndex, type Fill, fillBytes } from './border.js';
import type { PixelSource, Resampling, Window } from './resampling.js';

/** Puts a picture into a larger one. */
export class Padding implements Resampling {
  readonly #mode: BorderMode;
  readonly #fill: readonly [number, number, number];
  #left = 0;
  #top = 0;

  constructor({ borderMode, fill }: { readonly borderMode: BorderMode; readonly fill: Fill }) {
    this.#mode = borderMode;
    this.#fill = fillBytes(fill);
  }

  /** Columns and rows before the picture. */
  set(left: number, top: number): void {
    this.#left = left;
    this.#top = top;
  }

  render(source: PixelSource, window: Window, target: Uint8Array): void {
    const { pixels, start, step, stride } = source;
    const [red, green, blue] = this.#fill;
    let to = 0;
    for (let row = 0; row < window.height; row++) {
      const y = borderIndex(window.top + row - this.#top, source.height, this.#mode);
      for (let column = 0; column < window.width; column++, to += 3) {
        const x = y < 0 ? -1 : borderIndex(window.left + column - this.#left, source.width, this.#mode);
        const from = start + y * stride + x * step;
        target[to] = x < 0 ? red : (pixels[from] as number);
        target[to + 1] = x < 0 ? green : (pixels[from + 1] as number);
        target[to + 2] = x < 0 ? blue : (pixels[from + 2] as number);
      }
    }
  }
}
