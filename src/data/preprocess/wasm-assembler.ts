/** WebAssembly instructions as bytes, nested as the code nests; `assemble` flattens them. */
export type Code = number | readonly Code[];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
const memory = (opcode: number, offset = 0): number[] => [...simd(opcode), 0, ...unsigned(offset)];

/** The few instructions that the pixel kernels need, under the names of the WebAssembly specification. */
export const wasm = {
  get: (local: number): Code => [0x20, local],
  set: (local: number, value: Code): Code => [value, 0x21, local],
  constant: (value: number): Code => [0x41, signed(value)],
  add: (left: Code, right: Code): Code => [left, right, 0x6a],
  multiply: (left: Code, right: Code): Code => [left, right, 0x6c],
  loadI32: (address: Code): Code => [address, 0x28, 2, 0],
  /** Runs `body` until `counter` (a local, at least 1 at the start) has been counted down to 0. */
  repeat: (counter: number, body: Code): Code => [
    [0x03, 0x40, body],
    [0x20, counter, 0x41, 1, 0x6b, 0x22, counter],
    [0x0d, 0, 0x0b],
  ],
  v128: {
    load: (address: Code): Code => [address, memory(0x00)],
    load32Splat: (address: Code, offset = 0): Code => [address, memory(0x09, offset)],
    store: (address: Code, value: Code): Code => [address, value, memory(0x0b)],
    store32Lane0: (address: Code, value: Code): Code => [address, value, memory(0x5a), 0],
  },
  shuffle: (left: Code, right: Code, lanes: readonly number[]): Code => [left, right, simd(0x0d), lanes],
  i8x16NarrowU: (low: Code, high: Code): Code => [low, high, simd(0x66)],
  i16x8NarrowS: (low: Code, high: Code): Code => [low, high, simd(0x85)],
  i16x8ExtendLowU: (value: Code): Code => [value, simd(0x89)],
  i16x8ExtendHighU: (value: Code): Code => [value, simd(0x8a)],
  i32x4: {
    splat: (value: number): Code => [0x41, signed(value), simd(0x11)],
    shiftRight: (value: Code, bits: number): Code => [value, 0x41, signed(bits), simd(0xac)],
    add: (left: Code, right: Code): Code => [left, right, simd(0xae)],
    dot: (left: Code, right: Code): Code => [left, right, simd(0xba)],
  },
} as const;

/** One exported function; its parameters are all i32, its locals are numbered after them. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly i32Locals: number;
  readonly v128Locals: number;
  readonly body: Code;
}

const i32 = 0x7f;
const v128 = 0x7b;

function flatten(code: Code, into: number[] = []): number[] {
  if (typeof code === 'number') into.push(code);
  else for (const part of code) flatten(part, into);
  return into;
}

const bytesOf = (text: string): number[] => [text.length, ...Buffer.from(text, 'latin1')];
const vector = (items: readonly number[][]): number[] => [...unsigned(items.length), ...items.flat()];

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** A WebAssembly module that imports its memory as `env.memory` and exports the functions given. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [0x60, ...vector(Array.from({ length: f.parameters }, () => [i32])), 0]);
  const bodies = functions.map((f) => {
    const locals = vector([
      [...unsigned(f.i32Locals), i32],
      [...unsigned(f.v128Locals), v128],
    ]);
    const body = [...locals, ...flatten(f.body), 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...bytesOf('env'), ...bytesOf('memory'), 2, 0, 1]])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(functions.map((f, index) => [...bytesOf(f.name), 0, ...unsigned(index)]))),
    ...section(10, vector(bodies)),
  ]);
}
