import { ResizeAxis } from './resize-axis.js';
import type { ResizeKernel } from './resize-kernel.js';

const makeAxis = (): ResizeAxis =>
  // in OpenCV's order, which decides how it is rounded
  new ResizeAxis(1, (index, source, target) => Math.floor(index * (1 / (target / source))));

export function resizeNearest(): ResizeKernel {
  return {
    rows: makeAxis(),
    columns: makeAxis(),
    render({ pixels, start }, { width, height }, target) {
      let to = 0;
      for (let row = 0; row < height; row++) {
        const line = start + (this.rows.indices[row] as number);
        for (let column = 0; column < width; column++, to += 3) {
          const from = line + (this.columns.indices[column] as number);
          target[to] = pixels[from] as number;
          target[to + 1] = pixels[from + 1] as number;
          target[to + 2] = pixels[from + 2] as number;
        }
      }
    },
  };
}
