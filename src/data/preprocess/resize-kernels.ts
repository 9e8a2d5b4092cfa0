import { assemble, type Code, type WasmFunction, wasm } from './wasm-assembler.js';

/** Bits after the point of the resampling weights: 1.0 is 2^14, which fits a 16-bit lane. */
export const weightBits = 14;

const { get, set, constant, add, multiply, loadI32, repeat, v128, shuffle, i32x4 } = wasm;
const half = i32x4.splat(1 << (weightBits - 1));
const advance = (local: number, by: Code): Code => set(local, add(get(local), by));

/**
 * Weighted sums of whole rows, 16 bytes at a time, two rows (taps) at a time.
 * rows -> out: out[y][x] = sum over k of weights[y][k] * source[first[y] + k][x].
 */
function vertical(): WasmFunction {
  const [source, rowBytes, first, weights, tapPairs, outRows, out, blocks] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [row, block, pair, pointer, weight] = [8, 9, 10, 11, 12];
  const [a, b, w, low, high] = [13, 14, 15, 16, 17];
  const sums = [18, 19, 20, 21] as const;
  const accumulate = (sum: number, value: Code): Code =>
    set(sum, i32x4.add(get(sum), i32x4.dot(value, get(w))));
  const lanes = (from: number): number[] =>
    Array.from({ length: 16 }, (_, lane) => (lane % 2 === 0 ? from + lane / 2 : 16 + from + (lane - 1) / 2));
  const shifted = sums.map((sum) => i32x4.shiftRight(get(sum), weightBits));
  return {
    name: 'vertical',
    parameters: 8,
    i32Locals: 5,
    v128Locals: 9,
    body: repeat(outRows, [
      set(row, add(get(source), multiply(loadI32(get(first)), get(rowBytes)))),
      advance(first, constant(4)),
      set(block, get(blocks)),
      repeat(block, [
        sums.map((sum) => set(sum, half)),
        set(pointer, get(row)),
        set(weight, get(weights)),
        set(pair, get(tapPairs)),
        repeat(pair, [
          set(a, v128.load(get(pointer))),
          set(b, v128.load(add(get(pointer), get(rowBytes)))),
          set(w, v128.load32Splat(get(weight))),
          set(low, shuffle(get(a), get(b), lanes(0))),
          set(high, shuffle(get(a), get(b), lanes(8))),
          accumulate(sums[0], wasm.i16x8ExtendLowU(get(low))),
          accumulate(sums[1], wasm.i16x8ExtendHighU(get(low))),
          accumulate(sums[2], wasm.i16x8ExtendLowU(get(high))),
          accumulate(sums[3], wasm.i16x8ExtendHighU(get(high))),
          advance(pointer, multiply(get(rowBytes), constant(2))),
          advance(weight, constant(4)),
        ]),
        v128.store(
          get(out),
          wasm.i8x16NarrowU(
            wasm.i16x8NarrowS(shifted[0] ?? [], shifted[1] ?? []),
            wasm.i16x8NarrowS(shifted[2] ?? [], shifted[3] ?? []),
          ),
        ),
        advance(out, constant(16)),
        advance(row, constant(16)),
      ]),
      // the last block of a row may reach into the next one, which is written after it
      set(out, add(add(get(out), get(rowBytes)), multiply(get(blocks), constant(-16)))),
      advance(weights, multiply(get(tapPairs), constant(4))),
    ]),
  };
}

/** Weighted sums of neighbouring 4-byte pixels of one row, four pixels (taps) at a time. */
function horizontal(): WasmFunction {
  const [source, rowBytes, rows, first, weights, tapQuads, outColumns, out] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [column, start, weight, quad, pointer] = [8, 9, 10, 11, 12];
  const [pixels, sum, packed] = [13, 14, 15];
  // two pixels r0 g0 b0 x0 r1 g1 b1 x1 become r0 r1 g0 g1 b0 b1 x0 x1, ready for the pairwise product
  const pairs = [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15];
  const accumulate = (value: Code, weightOffset: number): Code =>
    set(sum, i32x4.add(get(sum), i32x4.dot(value, v128.load32Splat(get(weight), weightOffset))));
  return {
    name: 'horizontal',
    parameters: 8,
    i32Locals: 5,
    v128Locals: 3,
    body: repeat(rows, [
      set(column, get(outColumns)),
      set(start, get(first)),
      set(weight, get(weights)),
      repeat(column, [
        set(pointer, add(get(source), multiply(loadI32(get(start)), constant(4)))),
        advance(start, constant(4)),
        set(sum, half),
        set(quad, get(tapQuads)),
        repeat(quad, [
          set(pixels, v128.load(get(pointer))),
          set(packed, shuffle(get(pixels), get(pixels), pairs)),
          accumulate(wasm.i16x8ExtendLowU(get(packed)), 0),
          accumulate(wasm.i16x8ExtendHighU(get(packed)), 4),
          advance(pointer, constant(16)),
          advance(weight, constant(8)),
        ]),
        set(sum, i32x4.shiftRight(get(sum), weightBits)),
        set(packed, wasm.i16x8NarrowS(get(sum), get(sum))),
        v128.store32Lane0(get(out), wasm.i8x16NarrowU(get(packed), get(packed))),
        advance(out, constant(4)),
      ]),
      advance(source, get(rowBytes)),
    ]),
  };
}

/** The two passes of a resize; all arguments are addresses in the module's memory or counts (>= 1). */
export interface ResizeKernels {
  /** Reads and writes up to 12 bytes past each row: leave room after the last. */
  vertical(
    source: number,
    rowBytes: number,
    first: number,
    weights: number,
    tapPairs: number,
    outRows: number,
    out: number,
    blocks: number,
  ): void;
  horizontal(
    source: number,
    rowBytes: number,
    rows: number,
    first: number,
    weights: number,
    tapQuads: number,
    outColumns: number,
    out: number,
  ): void;
}

/** The part of WebAssembly that is used here; the ES library of TypeScript declares none of it. */
interface WasmHost {
  Memory: new (size: { initial: number }) => WasmMemory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { exports: object };
  validate(code: Uint8Array): boolean;
}

/** The memory that the kernels work in; growing it detaches every view of its old `buffer`. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Compiles the kernels and their memory, or returns undefined where the processor has no 128-bit SIMD. */
export function compileKernels(): { memory: WasmMemory; kernels: ResizeKernels } | undefined {
  const host = (globalThis as { WebAssembly?: WasmHost }).WebAssembly;
  const code = assemble([vertical(), horizontal()]);
  if (!host?.validate(code)) return undefined;
  const memory = new host.Memory({ initial: 1 });
  const instance = new host.Instance(new host.Module(code), { env: { memory } });
  return { memory, kernels: instance.exports as ResizeKernels };
}
