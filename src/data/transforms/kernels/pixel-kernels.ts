import { readFileSync } from 'node:fs';

/** Where counts lie in the memory; wasm/pixels.ts has the same figure. */
const countsAt = 1024;
const scratchBytes = 65_536;
const pageBytes = 65_536;
/** Pictures that need more go without. */
const mostBytes = 2 ** 30;

/** What wasm/pixels.ts exports. Places are addresses in the memory. */
export interface PixelLoops {
  warpInside(
    start: number,
    step: number,
    stride: number,
    at: number,
    x0: number,
    dx: number,
    y0: number,
    dy: number,
    first: number,
    last: number,
  ): void;
  warpEdge(
    start: number,
    step: number,
    stride: number,
    width: number,
    height: number,
    at: number,
    x0: number,
    dx: number,
    y0: number,
    dy: number,
    first: number,
    last: number,
    constant: boolean,
    word: number,
  ): void;
  countChannels(start: number, stride: number, width: number, height: number): void;
}

/**
 * Loops over pixels in WebAssembly, with the memory that their pictures lie in. They give the very bytes that
 * the loops in TypeScript give, which stand in where WebAssembly has no SIMD.
 */
export class PixelKernels {
  readonly loops: PixelLoops;
  readonly memory: ArrayBuffer;
  /** Of red, green and blue, after `loops.countChannels`. */
  readonly counts: Int32Array;

  private constructor(module: WebAssembly.Module, bytes: number) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
    this.loops = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as PixelLoops;
    this.memory = memory.buffer;
    this.counts = new Int32Array(this.memory, countsAt, 768);
  }

  /** Kernels with `bytes` for pictures from `pixelsAt` on; undefined where they cannot be had. */
  static open(bytes: number): PixelKernels | undefined {
    const module = bytes > mostBytes ? undefined : compiled();
    if (!module) return undefined;
    try {
      return new PixelKernels(module, scratchBytes + bytes);
    } catch {
      // no address space left
      return undefined;
    }
  }
}

/** Address of the first byte for pictures. */
export const pixelsAt = scratchBytes;

let module: WebAssembly.Module | null | undefined;

function compiled(): WebAssembly.Module | undefined {
  if (module === undefined) module = compile();
  return module ?? undefined;
}

function compile(): WebAssembly.Module | null {
  try {
    // the same place from dist/ and, in tests, from src/
    const url = new URL('../../../../dist/data/transforms/kernels/pixels.wasm', import.meta.url);
    return new WebAssembly.Module(readFileSync(url));
  } catch {
    return null;
  }
}
