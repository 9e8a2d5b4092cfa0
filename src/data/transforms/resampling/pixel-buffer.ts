/**
 * Memory for pixels, three bytes each. A pixel may be read and written as one word of four bytes, which the view
 * does at any place: a few bytes behind the last pixel belong to the buffer, too.
 */
export interface PixelBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
}

const behind = 8;

export function pixelBuffer(pixels: number): PixelBuffer {
  const bytes = Buffer.allocUnsafeSlow(3 * pixels + behind);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** The buffer, or a larger one when it is too small; some room is kept so that sizes may vary. */
export function withRoom(buffer: PixelBuffer, pixels: number): PixelBuffer {
  return buffer.bytes.length >= 3 * pixels + behind ? buffer : pixelBuffer(Math.ceil(pixels * 1.25));
}
