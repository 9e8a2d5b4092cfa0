import { compileKernels, type ResizeKernels, type WasmMemory, weightBits } from './resize-kernels.js';

const pageBytes = 65536;
const firstAddress = 64;

interface Taps {
  /** Index of the first source row or column of each output row or column. */
  readonly first: Int32Array;
  /** `taps` weights for each output row or column, in 1/2^14. */
  readonly weights: Int16Array;
  readonly taps: number;
}

/** Catmull-Rom cubic (a = -0.5), as the libraries' "bicubic". */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

/** Weights of one axis, widened by the shrink factor against aliasing; rounded so that each row sums to one. */
function tapsFor(source: number, target: number, multiple: number): Taps {
  const scale = source / target;
  const stretch = Math.max(1, scale);
  const support = 2 * stretch;
  const taps = Math.ceil((Math.ceil(support) * 2 + 1) / multiple) * multiple;
  const first = new Int32Array(target);
  const weights = new Int16Array(target * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.floor(centre - support + 0.5));
    const count = Math.min(source, Math.floor(centre + support + 0.5)) - low;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = cubic((low + k + 0.5 - centre) / stretch);
      exact[k] = weight;
      sum += weight;
    }
    let missing = 1 << weightBits;
    let largest = 0;
    for (let k = 0; k < count; k++) {
      const weight = exact[k] ?? 0;
      const rounded = Math.round((weight / sum) * (1 << weightBits));
      weights[i * taps + k] = rounded;
      missing -= rounded;
      if (weight > (exact[largest] ?? 0)) largest = k;
    }
    // what rounding lost goes to the largest weight: a flat picture stays flat
    weights[i * taps + largest] = (weights[i * taps + largest] ?? 0) + missing;
    first[i] = low;
  }
  return { first, weights, taps };
}

/**
 * Resizes pictures of four bytes a pixel (RGBX) with an antialiased bicubic filter in 128-bit SIMD.
 * One memory is kept and reused, so a resizer is for one thread and each call overwrites the last result.
 */
export class Resizer {
  readonly #memory: WasmMemory;
  readonly #kernels: ResizeKernels;
  readonly #taps = new Map<string, Taps>();

  private constructor(memory: WasmMemory, kernels: ResizeKernels) {
    this.#memory = memory;
    this.#kernels = kernels;
  }

  /** A resizer, or undefined where the processor lacks the instructions. */
  static create(): Resizer | undefined {
    const compiled = compileKernels();
    return compiled && new Resizer(compiled.memory, compiled.kernels);
  }

  /** Room for a source picture; valid until the next call of `source`. */
  source(width: number, height: number): Buffer {
    const bytes = width * height * 4;
    this.#reserve(firstAddress + bytes);
    return Buffer.from(this.#memory.buffer, firstAddress, bytes);
  }

  /**
   * Resizes the picture that was put into `source(width, height)`.
   * @returns `targetHeight * targetWidth` pixels of four bytes; valid until the next call of `source`
   */
  resize(width: number, height: number, targetWidth: number, targetHeight: number): Buffer {
    const rows = this.#tapsOf(height, targetHeight, 2);
    const columns = this.#tapsOf(width, targetWidth, 4);
    const rowBytes = width * 4;
    const targetBytes = targetWidth * targetHeight * 4;
    // taps of weight zero may lie past the picture's end: they are read, so there must be memory
    let end = firstAddress + (height + rows.taps) * rowBytes;
    const place = (bytes: number): number => {
      const address = Math.ceil(end / 16) * 16;
      end = address + bytes + 16;
      return address;
    };
    const between = place(targetHeight * rowBytes + columns.taps * 4);
    const result = place(targetBytes);
    const tables = [rows.first, rows.weights, columns.first, columns.weights];
    const addresses = tables.map((table) => place(table.byteLength));
    this.#reserve(end);
    const bytes = new Uint8Array(this.#memory.buffer);
    tables.forEach((table, index) => {
      bytes.set(new Uint8Array(table.buffer), addresses[index]);
    });
    const [rowFirst = 0, rowWeights = 0, columnFirst = 0, columnWeights = 0] = addresses;
    const blocks = Math.ceil(rowBytes / 16);
    this.#kernels.vertical(
      firstAddress,
      rowBytes,
      rowFirst,
      rowWeights,
      rows.taps / 2,
      targetHeight,
      between,
      blocks,
    );
    this.#kernels.horizontal(
      between,
      rowBytes,
      targetHeight,
      columnFirst,
      columnWeights,
      columns.taps / 4,
      targetWidth,
      result,
    );
    return Buffer.from(this.#memory.buffer, result, targetBytes);
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }

  #tapsOf(source: number, target: number, multiple: number): Taps {
    const key = `${source}>${target}/${multiple}`;
    let taps = this.#taps.get(key);
    if (!taps) {
      if (this.#taps.size >= 256) this.#taps.clear();
      taps = tapsFor(source, target, multiple);
      this.#taps.set(key, taps);
    }
    return taps;
  }
}
