import { PixelKernels, pixelsAt } from '../kernels/pixel-kernels.js';

/**
 * Memory for pixels, three bytes each. A pixel may be read and written as one word of four bytes, which the view
 * does at any place: a few bytes behind the last pixel belong to the buffer, too.
 */
export interface PixelBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Fast loops that reach this memory, its first byte at `address`. */
  readonly kernels: PixelKernels | undefined;
  readonly address: number;
}

const behind = 16;

/** Two buffers that the same kernels reach, if `fast` and if there are any. */
export function pixelBuffers(pixels: number, fast: boolean): [PixelBuffer, PixelBuffer] {
  const size = (3 * pixels + behind + 15) & -16;
  const kernels = fast ? PixelKernels.open(2 * size) : undefined;
  return [pixelBuffer(size, kernels, pixelsAt), pixelBuffer(size, kernels, pixelsAt + size)];
}

function pixelBuffer(size: number, kernels: PixelKernels | undefined, address: number): PixelBuffer {
  const bytes = kernels ? Buffer.from(kernels.memory, address, size) : Buffer.allocUnsafeSlow(size);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), kernels, address };
}

/** Whether the buffer holds so many pixels. */
export function hasRoom(buffer: PixelBuffer, pixels: number): boolean {
  return buffer.bytes.length >= 3 * pixels + behind;
}
