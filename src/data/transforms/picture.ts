/**
 * The picture that a thread is working on: 8-bit RGB, three bytes a pixel, in a buffer that is used again for
 * every picture. Cropping and mirroring only change how the buffer is looked at; whoever needs plain rows
 * calls `compact` first, and whoever can follow `offset`, `stride` and `mirrored` saves that pass.
 */
export class Picture {
  /** Red of the pixel at the top left is at `offset`, or of the one at the top right when `mirrored`. */
  pixels: Buffer = Buffer.alloc(0);
  width = 0;
  height = 0;
  /** Index of the first byte of the rows' left ends in the buffer. */
  offset = 0;
  /** Bytes from one row to the next. */
  stride = 0;
  /** Whether rows are read from right to left. */
  mirrored = false;
  #spare: Buffer = Buffer.alloc(0);

  /** Starts a new picture; gives the buffer (at least width * height * 3 bytes) that its pixels go to. */
  load(width: number, height: number): Buffer {
    this.pixels = grown(this.pixels, width * height * 3);
    this.#reset(width, height);
    return this.pixels;
  }

  /** Keeps a part, in the coordinates of the picture as it is seen. It has to lie within. */
  crop(left: number, top: number, width: number, height: number): void {
    const fromLeft = this.mirrored ? this.width - left - width : left;
    this.offset += top * this.stride + fromLeft * 3;
    this.width = width;
    this.height = height;
  }

  /** Swaps left and right. */
  mirror(): void {
    this.mirrored = !this.mirrored;
  }

  /** Makes the rows plain: from left to right, one right after the other from index 0 on. */
  compact(): void {
    const { pixels, width, height, offset, stride, mirrored } = this;
    const rowBytes = width * 3;
    if (offset === 0 && stride === rowBytes && !mirrored) return;
    const target = this.spare(width, height);
    for (let row = 0; row < height; row++) {
      const from = offset + row * stride;
      const to = row * rowBytes;
      if (!mirrored) {
        pixels.copy(target, to, from, from + rowBytes);
        continue;
      }
      for (let at = 0, source = from + rowBytes - 3; at < rowBytes; at += 3, source -= 3) {
        target[to + at] = pixels[source] as number;
        target[to + at + 1] = pixels[source + 1] as number;
        target[to + at + 2] = pixels[source + 2] as number;
      }
    }
    this.adoptSpare(width, height);
  }

  /** A second buffer with room for a picture, to write a changed one to; `adoptSpare` makes it the picture. */
  spare(width: number, height: number): Buffer {
    this.#spare = grown(this.#spare, width * height * 3);
    return this.#spare;
  }

  /** Takes what was written to the `spare` buffer, in plain rows, as the picture. */
  adoptSpare(width: number, height: number): void {
    [this.pixels, this.#spare] = [this.#spare, this.pixels];
    this.#reset(width, height);
  }

  #reset(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.offset = 0;
    this.stride = width * 3;
    this.mirrored = false;
  }
}

/** The buffer, or a larger one when it is too small; some room is kept so that sizes may vary. */
function grown(buffer: Buffer, bytes: number): Buffer {
  return buffer.length >= bytes ? buffer : Buffer.allocUnsafeSlow(Math.ceil(bytes * 1.25));
}

/** Why a picture cannot be used; the loader reports it and goes on. */
export class PictureRejection extends Error {
  override readonly name = 'PictureRejection';
}
