import type { PixelKernels } from '../kernels/pixel-kernels.js';
import type { PixelBuffer } from './pixel-buffer.js';

/** The pixels that a resampling reads: those of the picture as it is seen, whatever way it lies in its buffer. */
export interface PixelSource {
  readonly pixels: Uint8Array;
  /** The same memory. */
  readonly view: DataView;
  /** Fast loops that reach this memory, its first byte at `address`. */
  readonly kernels: PixelKernels | undefined;
  readonly address: number;
  readonly width: number;
  readonly height: number;
  /** Index of red of the pixel that is seen at the top left. */
  readonly start: number;
  /** Bytes to the next pixel on the right: 3, or -3 in a mirrored picture. */
  readonly step: number;
  /** Bytes to the next pixel below; negative in a picture upside down. */
  readonly stride: number;
}

/** Part of the pictures that a resampling makes. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Makes each pixel out of some of another picture: a warp, a resize, a padding. */
export interface Resampling {
  /** Writes the pixels within the window to `target`, row after row from index 0 on. */
  render(source: PixelSource, window: Window, target: PixelBuffer): void;
}
