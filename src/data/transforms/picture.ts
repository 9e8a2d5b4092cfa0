import { hasRoom, type PixelBuffer, pixelBuffers } from './resampling/pixel-buffer.js';
import type { PixelSource, Resampling } from './resampling/resampling.js';

/**
 * The picture that a thread is working on: 8-bit RGB, three bytes a pixel, in a buffer that is used again for
 * every picture. Cropping and flipping only change how the buffer is looked at. A resampling and a table wait
 * until somebody asks for the pixels, so that what is cropped away afterwards is never computed.
 *
 * Whoever needs plain rows calls `compact` first; whoever can follow `offset`, `stride` and `mirrored` saves
 * that pass.
 */
export class Picture {
  /** As it is seen. */
  width = 0;
  height = 0;
  readonly #fast: boolean;
  #pixels: PixelBuffer;
  #spare: PixelBuffer;
  #offset = 0;
  #stride = 0;
  #mirrored = false;
  /** What is still to be done to the pixels, in this order; the view of `#after` is of its result. */
  #resampling: Resampling | undefined;
  readonly #source: { -readonly [Key in keyof PixelSource]: PixelSource[Key] };
  readonly #after = { left: 0, top: 0, mirrored: false, upsideDown: false };
  readonly #window = { left: 0, top: 0, width: 0, height: 0 };
  readonly #table = new Uint8Array(768);
  #mapped = false;

  /**
   * @param options.fast to lie in the memory of the fast loops, which every picture has for itself: for a
   * picture that is loaded many times
   */
  constructor({ fast = false }: { readonly fast?: boolean } = {}) {
    this.#fast = fast;
    [this.#pixels, this.#spare] = pixelBuffers(0, false);
    const { bytes: pixels, view, kernels, address } = this.#pixels;
    const memory = { pixels, view, kernels, address };
    this.#source = { ...memory, width: 0, height: 0, start: 0, step: 3, stride: 0 };
  }

  /** Red of the pixel at the top left is at `offset`, or of the one at the top right when `mirrored`. */
  get pixels(): Buffer {
    this.#settle();
    return this.#pixels.bytes;
  }

  /** Index of the first byte of the rows' left ends in the buffer. */
  get offset(): number {
    this.#settle();
    return this.#offset;
  }

  /** Bytes from one row to the next; negative when the rows lie from bottom to top. */
  get stride(): number {
    this.#settle();
    return this.#stride;
  }

  /** Whether rows are read from right to left. */
  get mirrored(): boolean {
    this.#settle();
    return this.#mirrored;
  }

  /** Starts a new picture; gives the buffer (at least width * height * 3 bytes) that its pixels go to. */
  load(width: number, height: number): Buffer {
    this.#makeRoom(width * height);
    this.#reset(width, height);
    return this.#pixels.bytes;
  }

  /** Keeps a part, in the coordinates of the picture as it is seen. It has to lie within. */
  crop(left: number, top: number, width: number, height: number): void {
    if (this.#resampling) {
      const after = this.#after;
      after.left += after.mirrored ? this.width - left - width : left;
      after.top += after.upsideDown ? this.height - top - height : top;
    } else {
      const fromLeft = this.#mirrored ? this.width - left - width : left;
      this.#offset += top * this.#stride + fromLeft * 3;
    }
    this.width = width;
    this.height = height;
  }

  /** Swaps left and right. */
  mirror(): void {
    if (this.#resampling) this.#after.mirrored = !this.#after.mirrored;
    else this.#mirrored = !this.#mirrored;
  }

  /** Swaps top and bottom. */
  turnUpsideDown(): void {
    if (this.#resampling) {
      this.#after.upsideDown = !this.#after.upsideDown;
      return;
    }
    this.#offset += (this.height - 1) * this.#stride;
    this.#stride = -this.#stride;
  }

  /**
   * Lets every pixel be made anew, by a resampling that gives pictures of the size `width` x `height`. The
   * resampling must not change before the picture was asked for its pixels: `settle` goes before its settings.
   * Crops and flips before and after cost nothing. Of two resamplings both are carried out: one in place of the
   * two would interpolate once where albumentations does twice, which gives other pixels.
   */
  resample(resampling: Resampling, width: number, height: number): void {
    this.#settle();
    this.#updateSource();
    this.#resampling = resampling;
    const after = this.#after;
    after.left = 0;
    after.top = 0;
    after.mirrored = false;
    after.upsideDown = false;
    this.width = width;
    this.height = height;
  }

  /** Replaces each value v of channel c by `table[256 * c + v]`. The table is copied. */
  map(table: Uint8Array): void {
    const own = this.#table;
    if (!this.#mapped) {
      own.set(table);
      this.#mapped = true;
      return;
    }
    for (let channel = 0; channel < 768; channel += 256) {
      for (let at = channel; at < channel + 256; at++)
        own[at] = table[channel + (own[at] as number)] as number;
    }
  }

  /** Carries out what waits; needed before the settings of a resampling that may be waiting are changed. */
  settle(): void {
    this.#settle();
  }

  /**
   * Where the pixels lie, without the table: its reader looks each value up in `pendingTable` itself.
   * The object is the same at every call.
   */
  geometry(): PixelSource {
    this.#settleResampling();
    return this.#updateSource();
  }

  /** What `geometry` leaves to be done to each value; entry 256 * channel + value. */
  get pendingTable(): Uint8Array | undefined {
    return this.#mapped ? this.#table : undefined;
  }

  /** Makes the rows plain: from left to right, one right after the other from index 0 on. */
  compact(): void {
    this.#settle();
    const { width, height } = this;
    const rowBytes = width * 3;
    if (this.#offset === 0 && this.#stride === rowBytes && !this.#mirrored) return;
    const target = this.spare(width, height);
    for (let row = 0; row < height; row++) {
      const from = this.#offset + row * this.#stride;
      if (this.#mirrored)
        copyBackwards(this.#pixels.bytes, from + rowBytes - 3, target, row * rowBytes, rowBytes);
      else this.#pixels.bytes.copy(target, row * rowBytes, from, from + rowBytes);
    }
    this.adoptSpare(width, height);
  }

  /** A second buffer with room for a picture, to write a changed one to; `adoptSpare` makes it the picture. */
  spare(width: number, height: number): Buffer {
    // settling writes to the spare buffer too
    this.#settle();
    return this.#spareOf(width, height).bytes;
  }

  /** Takes what was written to the `spare` buffer, in plain rows, as the picture. */
  adoptSpare(width: number, height: number): void {
    [this.#pixels, this.#spare] = [this.#spare, this.#pixels];
    this.#reset(width, height);
  }

  #spareOf(width: number, height: number): PixelBuffer {
    const { bytes } = this.#pixels;
    if (this.#makeRoom(width * height)) {
      bytes.copy(this.#pixels.bytes);
      this.#updateMemory();
    }
    return this.#spare;
  }

  /** Makes both buffers large enough, with some room so that sizes may vary. @returns whether they are new */
  #makeRoom(pixels: number): boolean {
    if (hasRoom(this.#pixels, pixels)) return false;
    [this.#pixels, this.#spare] = pixelBuffers(Math.ceil(pixels * 1.25), this.#fast);
    return true;
  }

  #reset(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.#offset = 0;
    this.#stride = width * 3;
    this.#mirrored = false;
    this.#resampling = undefined;
    this.#mapped = false;
  }

  #settle(): void {
    if (this.#resampling) this.#settleResampling();
    if (this.#mapped) this.#settleTable();
  }

  #settleResampling(): void {
    const resampling = this.#resampling;
    if (!resampling) return;
    const { width, height } = this;
    const { left, top, mirrored, upsideDown } = this.#after;
    const window = this.#window;
    window.left = left;
    window.top = top;
    window.width = width;
    window.height = height;
    const mapped = this.#mapped;
    const target = this.#spareOf(width, height);
    resampling.render(this.#source, window, target);
    this.adoptSpare(width, height);
    this.#mapped = mapped;
    if (mirrored) this.mirror();
    if (upsideDown) this.turnUpsideDown();
  }

  #settleTable(): void {
    this.#mapped = false;
    const table = this.#table;
    const pixels = this.#pixels.bytes;
    for (let row = 0; row < this.height; row++) {
      const from = this.#offset + row * this.#stride;
      const to = from + this.width * 3;
      for (let at = from; at < to; at += 3) {
        pixels[at] = table[pixels[at] as number] as number;
        pixels[at + 1] = table[256 + (pixels[at + 1] as number)] as number;
        pixels[at + 2] = table[512 + (pixels[at + 2] as number)] as number;
      }
    }
  }

  #updateSource(): PixelSource {
    const source = this.#source;
    this.#updateMemory();
    source.width = this.width;
    source.height = this.height;
    source.step = this.#mirrored ? -3 : 3;
    source.start = this.#mirrored ? this.#offset + (this.width - 1) * 3 : this.#offset;
    source.stride = this.#stride;
    return source;
  }

  #updateMemory(): void {
    const source = this.#source;
    const { bytes, view, kernels, address } = this.#pixels;
    source.pixels = bytes;
    source.view = view;
    source.kernels = kernels;
    source.address = address;
  }
}

/** Copies a row of pixels, the last one first. */
function copyBackwards(source: Buffer, last: number, target: Buffer, at: number, bytes: number): void {
  for (let to = at, from = last; to < at + bytes; to += 3, from -= 3) {
    target[to] = source[from] as number;
    target[to + 1] = source[from + 1] as number;
    target[to + 2] = source[from + 2] as number;
  }
}

/** Why a picture cannot be used; the loader reports it and goes on. */
export class PictureRejection extends Error {
  override readonly name = 'PictureRejection';
}
