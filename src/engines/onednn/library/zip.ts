import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

const inflate = promisify(inflateRaw);

// A wheel is a zip file. Reading two members of one whose hash is known needs no package: a directory at
// the end, and members that are stored or deflated.
const endSignature = 0x06054b50;
const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;
const maximumComment = 0xffff;

/** A member as the archive's directory has it. */
interface Member {
  method: number;
  packedSize: number;
  size: number;
  offset: number;
}

/** A zip file in memory. */
export class ZipArchive {
  readonly #bytes: Buffer;
  readonly #members: Map<string, Member>;

  /** @throws {Error} the bytes are not a zip file, or a kind that wheels are not (ZIP64) */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    try {
      this.#members = readDirectory(bytes);
    } catch (error) {
      if (error instanceof RangeError) throw new Error('the zip file is cut off', { cause: error });
      throw error;
    }
  }

  get names(): string[] {
    return [...this.#members.keys()];
  }

  /** @throws {Error} there is no such member, or it is damaged */
  async read(name: string): Promise<Buffer> {
    const member = this.#members.get(name);
    if (!member) throw new Error(`the zip file has no ${name}`);
    const { offset, method, packedSize, size } = member;
    const bytes = this.#bytes;
    if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== localSignature) {
      throw new Error(`the zip file is damaged at ${name}`);
    }
    // the local header repeats the name, with an extra field of its own length
    const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
    const packed = bytes.subarray(start, start + packedSize);
    const content = await unpack(name, packed, method);
    if (content.length !== size) throw new Error(`the zip file is damaged at ${name}`);
    return content;
  }
}

async function unpack(name: string, packed: Buffer, method: number): Promise<Buffer> {
  if (method === 0) return packed;
  if (method !== 8) throw new Error(`${name} is packed with method ${method}, which is not supported`);
  try {
    return await inflate(packed);
  } catch (error) {
    throw new Error(`the zip file is damaged at ${name}`, { cause: error });
  }
}

function readDirectory(bytes: Buffer): Map<string, Member> {
  const end = findEnd(bytes);
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (at === 0xffffffff || count === 0xffff) throw new Error('zip files of the kind ZIP64 are not supported');
  const members = new Map<string, Member>();
  for (let index = 0; index < count; index++) {
    if (bytes.readUInt32LE(at) !== directorySignature) throw new Error("the zip file's directory is damaged");
    const nameLength = bytes.readUInt16LE(at + 28);
    members.set(bytes.toString('utf8', at + 46, at + 46 + nameLength), {
      method: bytes.readUInt16LE(at + 10),
      packedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return members;
}

/** The end record is last, but for a comment. */
function findEnd(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - endSize - maximumComment);
  for (let at = bytes.length - endSize; at >= first; at--) {
    if (bytes.readUInt32LE(at) === endSignature) return at;
  }
  throw new Error('it is not a zip file');
}
