import { setImmediate as breathe } from 'node:timers/promises';
import { crc32 } from 'node:zlib';

/** Element types and their bytes. */
const dtypeBytes = { F64: 8, I64: 8, F32: 4, I32: 4, F16: 2, BF16: 2, U8: 1, I8: 1, BOOL: 1 } as const;

export type SafetensorsDType = keyof typeof dtypeBytes;

export interface TensorSpec {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
}

export interface SafetensorsTensor extends TensorSpec {
  /** Little-endian, in row-major order; a view of the file's bytes. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/** The bytes are no whole .safetensors file. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
}

const lengthBytes = 8;
const headerAlignment = 8;
const longestHeader = 100_000_000;
const checksumKey = 'checksum';
/** As long as a checksum, which takes its place. */
const noChecksum = 'to be computed';
/** Bytes between two breaths while a checksum is computed. */
const pieceBytes = 1 << 20;
/** Room for longer metadata in memory that is used again. */
const slackBytes = 1 << 17;

/**
 * A .safetensors file in memory, laid out at once and then filled in place. The metadata gets a `checksum`
 * (CRC-32 of all tensors' bytes), by which a reader sees damage that leaves the length as it was.
 * @example
 * const file = new SafetensorsWriter([{ name: 'w', dtype: 'F32', shape: [2] }], { note: 'hello' });
 * file.floats('w').set([1, 2]);
 * await writeFile(path, file.finish());
 */
export class SafetensorsWriter {
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #specs: readonly TensorSpec[];
  readonly #starts = new Map<string, { spec: TensorSpec; start: number }>();
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #dataStart: number;

  /** @param options.into memory to use again; new memory is taken where the file does not fit in */
  constructor(
    specs: readonly TensorSpec[],
    metadata: Readonly<Record<string, string>>,
    options: { into?: ArrayBuffer | undefined } = {},
  ) {
    // large elements first, so that each tensor lies on a multiple of its element
    this.#specs = specs.toSorted((a, b) => dtypeBytes[b.dtype] - dtypeBytes[a.dtype]);
    this.#metadata = metadata;
    const header = this.#header(noChecksum);
    this.#dataStart = lengthBytes + header.length;
    let size = 0;
    for (const spec of this.#specs) {
      if (this.#starts.has(spec.name)) throw new Error(`two tensors are named '${spec.name}'`);
      this.#starts.set(spec.name, { spec, start: size });
      size += byteLength(spec);
    }
    this.#bytes = room(this.#dataStart + size, options.into);
  }

  /** The place of an F32 tensor's elements. */
  floats(name: string): Float32Array {
    const { start, count } = this.#place(name, 'F32');
    return new Float32Array(this.#bytes.buffer, start, count);
  }

  /** The place of an I32 tensor's elements. */
  ints(name: string): Int32Array {
    const { start, count } = this.#place(name, 'I32');
    return new Int32Array(this.#bytes.buffer, start, count);
  }

  /** The place of an I64 tensor's elements. */
  longs(name: string): BigInt64Array {
    const { start, count } = this.#place(name, 'I64');
    return new BigInt64Array(this.#bytes.buffer, start, count);
  }

  /**
   * Writes the header; gives the whole file.
   * @param options.checksum false leaves its place open, for {@link addChecksum}
   */
  finish({ checksum = true }: { checksum?: boolean } = {}): Uint8Array<ArrayBuffer> {
    const header = this.#header(
      checksum ? checksumText(crc32(this.#bytes.subarray(this.#dataStart))) : noChecksum,
    );
    new DataView(this.#bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    this.#bytes.set(header, lengthBytes);
    return this.#bytes;
  }

  #place(name: string, dtype: SafetensorsDType): { start: number; count: number } {
    const place = this.#starts.get(name);
    if (place?.spec.dtype !== dtype) throw new Error(`no ${dtype} tensor '${name}' was laid out`);
    return { start: this.#dataStart + place.start, count: count(place.spec.shape) };
  }

  /** As long for one checksum as for another. */
  #header(checksum: string): Uint8Array {
    const metadata = { ...this.#metadata, [checksumKey]: checksum };
    const header: Record<string, unknown> = { __metadata__: metadata };
    let start = 0;
    for (const spec of this.#specs) {
      const end = start + byteLength(spec);
      header[spec.name] = { dtype: spec.dtype, shape: spec.shape, data_offsets: [start, end] };
      start = end;
    }
    const text = new TextEncoder().encode(JSON.stringify(header));
    const padded = new Uint8Array(Math.ceil(text.length / headerAlignment) * headerAlignment).fill(0x20);
    padded.set(text);
    return padded;
  }
}

/**
 * Puts the checksum into a file that was finished without. Goes in pieces, so that the thread can do other
 * things meanwhile; nothing may change the bytes until it resolves.
 */
export async function addChecksum(bytes: Uint8Array): Promise<void> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataStart = lengthBytes + Number(file.readBigUInt64LE(0));
  const place = file.subarray(0, dataStart).indexOf(`"${checksumKey}":"${noChecksum}"`);
  if (place < 0) throw new Error('the file has its checksum already');
  let sum = 0;
  for (let start = dataStart; start < file.length; start += pieceBytes) {
    sum = crc32(file.subarray(start, start + pieceBytes), sum);
    await breathe();
  }
  file.write(checksumText(sum), place + `"${checksumKey}":"`.length);
}

/**
 * Reads a .safetensors file. Tensors are views of `bytes`, nothing is copied.
 * @throws SafetensorsError saying what is wrong: cut off, another format, damaged
 */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  const { header, data } = split(bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isStrings(metadata)) throw new SafetensorsError('its metadata are no texts');
  const tensors = new Map<string, SafetensorsTensor>();
  let covered = 0;
  const ordered = Object.entries(entries).map(([name, entry]) => readEntry(name, entry));
  for (const { start, end, ...spec } of ordered.sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== covered) throw new SafetensorsError(`the place of tensor '${spec.name}' is wrong`);
    if (end > data.length) {
      throw new SafetensorsError(
        `it is cut off: ${data.length} bytes of tensors, '${spec.name}' ends at ${end}`,
      );
    }
    tensors.set(spec.name, { ...spec, bytes: data.subarray(start, end) });
    covered = end;
  }
  if (covered !== data.length)
    throw new SafetensorsError(`${data.length - covered} bytes follow the last tensor`);
  const checksum = metadata[checksumKey];
  if (checksum?.startsWith('crc32:') && checksum !== checksumText(crc32(data))) {
    throw new SafetensorsError('the tensors differ from their checksum');
  }
  return { metadata, tensors };
}

/**
 * The numbers of an F32 tensor.
 * @throws SafetensorsError when it is of another type
 */
export function floatsOf(tensor: SafetensorsTensor): Float32Array {
  if (tensor.dtype !== 'F32')
    throw new SafetensorsError(`tensor '${tensor.name}' is ${tensor.dtype}, not F32`);
  const { buffer, byteOffset, byteLength: length } = tensor.bytes;
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, length / 4);
  return new Float32Array(tensor.bytes.slice().buffer);
}

function split(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < lengthBytes) throw new SafetensorsError(`it is cut off after ${bytes.length} bytes`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > longestHeader) throw new SafetensorsError('it does not begin like a .safetensors file');
  const dataStart = lengthBytes + length;
  if (bytes.length < dataStart) throw new SafetensorsError('it is cut off within its header');
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(lengthBytes, dataStart)),
    );
  } catch (error) {
    throw new SafetensorsError('its header cannot be read', { cause: error });
  }
  if (!isRecord(header)) throw new SafetensorsError('its header is no object');
  return { header, data: bytes.subarray(dataStart) };
}

function readEntry(name: string, entry: unknown): TensorSpec & { start: number; end: number } {
  if (!isRecord(entry)) throw new SafetensorsError(`the entry of tensor '${name}' cannot be read`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDType(dtype)) throw new SafetensorsError(`tensor '${name}' is of the unknown type ${String(dtype)}`);
  if (!isExtents(shape) || !isExtents(offsets) || offsets.length !== 2) {
    throw new SafetensorsError(`the entry of tensor '${name}' cannot be read`);
  }
  const [start = 0, end = 0] = offsets;
  const spec = { name, dtype, shape };
  if (end - start !== byteLength(spec)) {
    throw new SafetensorsError(
      `tensor '${name}' has ${end - start} bytes, its shape needs ${byteLength(spec)}`,
    );
  }
  return { ...spec, start, end };
}

/** Memory of which every byte is going to be written. */
function room(size: number, into: ArrayBuffer | undefined): Uint8Array<ArrayBuffer> {
  if (into && into.byteLength >= size) return new Uint8Array(into, 0, size);
  return new Uint8Array(new ArrayBuffer(size + slackBytes), 0, size);
}

function checksumText(checksum: number): string {
  return `crc32:${checksum.toString(16).padStart(8, '0')}`;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function byteLength({ dtype, shape }: Pick<TensorSpec, 'dtype' | 'shape'>): number {
  return count(shape) * dtypeBytes[dtype];
}

function isDType(value: unknown): value is SafetensorsDType {
  return typeof value === 'string' && Object.hasOwn(dtypeBytes, value);
}

function isExtents(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}
