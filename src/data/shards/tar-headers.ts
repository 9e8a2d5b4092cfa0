import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import type { ShardEntry } from './shard-entry.js';
import { blockBytes } from './shard-layout.js';

/**
 * The regular files of a tar. Only the headers are read, so this takes a seek an entry instead of reading
 * gigabytes.
 * @throws UserError when it is no tar, or cut off
 */
export async function* readTarEntries(path: string): AsyncGenerator<ShardEntry> {
  const file = await openTar(path);
  try {
    const { size } = await file.stat();
    const block = Buffer.alloc(blockBytes);
    let longName: string | undefined;
    for (let at = 0; at + blockBytes <= size; ) {
      await file.read(block, 0, blockBytes, at);
      const header = parseTarHeader(block);
      if (header === 'end') return;
      if (!header) throw damaged(path, at);
      const { type, length } = header;
      const offset = at + blockBytes;
      if (offset + length > size) throw cutOff(path, `an entry ends at ${offset + length}`, size);
      if (type === 'x' || type === 'L') longName = await readLongName(file, type, offset, length);
      else if (type === '0' || type === '\0') {
        yield { name: plainName(longName ?? header.name), offset, length };
        longName = undefined;
      }
      at = offset + Math.ceil(length / blockBytes) * blockBytes;
    }
    throw cutOff(path, 'the empty blocks at its end are missing', size);
  } finally {
    await file.close();
  }
}

async function openTar(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

interface TarHeader {
  readonly name: string;
  readonly type: string;
  readonly length: number;
}

/** What a header block says; undefined when its checksum is wrong. */
export function parseTarHeader(block: Buffer): TarHeader | 'end' | undefined {
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += at >= 148 && at < 156 ? 0x20 : (block[at] as number);
  if (sum === 8 * 0x20) return 'end';
  if (sum !== octal(block, 148, 8)) return undefined;
  const ustar = block.toString('latin1', 257, 262) === 'ustar' && block[262] === 0;
  const prefix = ustar ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] as number),
    length: octal(block, 124, 12),
  };
}

/** Text up to its first zero byte. */
function text(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function octal(block: Buffer, from: number, length: number): number {
  // sizes from 8 GiB on are binary, with the highest bit set
  if ((block[from] as number) & 0x80) return Number(block.readBigUInt64BE(from + length - 8));
  return Number.parseInt(text(block, from, length).trim() || '0', 8);
}

/** The name in an entry that stands before a file whose name has no room in the header. */
async function readLongName(
  file: FileHandle,
  type: 'x' | 'L',
  offset: number,
  length: number,
): Promise<string | undefined> {
  const bytes = Buffer.alloc(Math.min(length, 1 << 16));
  await file.read(bytes, 0, bytes.length, offset);
  if (type === 'L') return text(bytes, 0, bytes.length);
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(bytes.toString())?.[1];
}

/** A name without the `./` that `tar -C folder .` writes. */
export function plainName(name: string): string {
  return name.replace(/^(\.\/)+/, '');
}

function damaged(path: string, at: number): UserError {
  return new UserError(`${path} is no tar file, or damaged at byte ${at}`, { hint: copyAgain });
}

function cutOff(path: string, sign: string, size: number): UserError {
  return new UserError(`${path} is cut off: it has ${size} bytes, and ${sign}`, { hint: copyAgain });
}

const copyAgain = 'Copy it again, or prepare the pictures again.';
