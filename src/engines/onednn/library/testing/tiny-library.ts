/** What a made-up library shall say about itself. */
export interface TinyLibraryOptions {
  version?: readonly [major: number, minor: number, patch: number];
  /** DNNL_RUNTIME_*: 1 sequential, 2 OpenMP, 512 SYCL. */
  cpuRuntime?: number;
  /** The one function's name. */
  symbol?: string;
  /** Another library that it needs. */
  needed?: string;
}

const page = 0x1000;
// where the parts lie; the first page is read and executed, the second is the dynamic section
const hashAt = 0x200;
const symbolsAt = 0x240;
const stringsAt = 0x280;
const codeAt = 0x400;
const versionAt = 0x480;

/**
 * A shared library for Linux on x86-64 that really loads, of 5 KB: one function that returns the address of a
 * `dnnl_version_t`. So tests need neither a compiler nor the 54 MB of the real one.
 */
export function tinyLibrary(options: TinyLibraryOptions = {}): Buffer {
  const { version = [3, 2, 0], cpuRuntime = 2, symbol = 'dnnl_version', needed } = options;
  const strings = `\0${symbol}\0${needed ?? ''}\0`;
  const dynamic: Array<readonly [tag: number, value: number]> = [
    [4, hashAt],
    [5, stringsAt],
    [6, symbolsAt],
    [10, strings.length],
    [11, 24],
    ...(needed === undefined ? [] : [[1, symbol.length + 2] as const]),
    [0, 0],
  ];
  const file = Buffer.alloc(page + dynamic.length * 16);
  writeHeader(file);
  const segments = [
    { type: 1, flags: 5, offset: 0, size: page },
    { type: 1, flags: 6, offset: page, size: dynamic.length * 16 },
    { type: 2, flags: 6, offset: page, size: dynamic.length * 16 },
    // without this one the loader would ask for an executable stack
    { type: 0x6474e551, flags: 6, offset: 0, size: 0 },
  ];
  segments.forEach((segment, index) => {
    const at = 64 + index * 56;
    file.writeUInt32LE(segment.type, at);
    file.writeUInt32LE(segment.flags, at + 4);
    for (const field of [8, 16, 24]) writeWord(file, at + field, segment.offset);
    for (const field of [32, 40]) writeWord(file, at + field, segment.size);
    writeWord(file, at + 48, segment.type === 1 ? page : 8);
  });
  // a hash table with one bucket: it holds symbol 1, the last of its chain
  [1, 2, 1, 0, 0].forEach((word, index) => {
    file.writeUInt32LE(word, hashAt + index * 4);
  });
  const entry = symbolsAt + 24;
  file.writeUInt32LE(1, entry);
  file.writeUInt8(0x12, entry + 4); // global function
  file.writeUInt16LE(1, entry + 6);
  writeWord(file, entry + 8, codeAt);
  writeWord(file, entry + 16, 8);
  file.write(strings, stringsAt, 'latin1');
  // lea rax, [rip + distance]; ret
  file.set([0x48, 0x8d, 0x05], codeAt);
  file.writeInt32LE(versionAt - (codeAt + 7), codeAt + 3);
  file.writeUInt8(0xc3, codeAt + 7);
  version.forEach((part, index) => {
    file.writeInt32LE(part, versionAt + index * 4);
  });
  file.writeUInt32LE(cpuRuntime, versionAt + 24);
  dynamic.forEach(([tag, value], index) => {
    writeWord(file, page + index * 16, tag);
    writeWord(file, page + index * 16 + 8, value);
  });
  return file;
}

function writeHeader(file: Buffer): void {
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(3, 16); // shared object
  file.writeUInt16LE(62, 18); // x86-64
  file.writeUInt32LE(1, 20);
  writeWord(file, 32, 64);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(4, 56);
  file.writeUInt16LE(64, 58);
}

function writeWord(file: Buffer, at: number, value: number): void {
  file.writeBigUInt64LE(BigInt(value), at);
}
