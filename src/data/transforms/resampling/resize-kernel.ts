import type { PixelSource, Window } from './resampling.js';
import type { ResizeAxis } from './resize-axis.js';

/** An interpolation, with its buffers. */
export interface ResizeKernel {
  readonly rows: ResizeAxis;
  readonly columns: ResizeAxis;
  /** Computes the window that both axes were planned for. */
  render(source: PixelSource, window: Window, target: Uint8Array): void;
}
