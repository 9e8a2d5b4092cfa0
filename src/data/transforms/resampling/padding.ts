import { type BorderMode, borderIndex, type Fill, fillWord } from './border.js';
import type { PixelBuffer } from './pixel-buffer.js';
import type { PixelSource, Resampling, Window } from './resampling.js';

/** Puts a picture into a larger one. */
export class Padding implements Resampling {
  readonly #mode: BorderMode;
  readonly #fill: number;
  #left = 0;
  #top = 0;

  constructor({ borderMode, fill }: { readonly borderMode: BorderMode; readonly fill: Fill }) {
    this.#mode = borderMode;
    this.#fill = fillWord(fill);
  }

  /** Columns and rows before the picture. */
  set(left: number, top: number): void {
    this.#left = left;
    this.#top = top;
  }

  render(source: PixelSource, window: Window, target: PixelBuffer): void {
    const { view, start, step, stride } = source;
    const fill = this.#fill;
    let to = 0;
    for (let row = 0; row < window.height; row++) {
      const y = borderIndex(window.top + row - this.#top, source.height, this.#mode);
      for (let column = 0; column < window.width; column++, to += 3) {
        const x = y < 0 ? -1 : borderIndex(window.left + column - this.#left, source.width, this.#mode);
        const pixel = x < 0 ? fill : view.getUint32(start + y * stride + x * step, true);
        target.view.setUint32(to, pixel, true);
      }
    }
  }
}
