import { closeSync, openSync, readSync } from 'node:fs';
import jpegTurbo from '@julusian/jpeg-turbo';
import { type Picture, PictureRejection } from '../transforms/picture.js';
import { readJpegHeader } from './jpeg-header.js';
import { checkHeader, headerBytes, type ShardFiles } from './shard-files.js';

const { decompressSync, FORMAT_RGB } = jpegTurbo;

/** Beyond what preprocess writes; a damaged header must not claim gigabytes. */
const maximumPixels = 2 ** 28;

/** Faults of the machine, not of the picture: they would hit every picture after. */
const fatalCodes = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Reads JPEG files into a `Picture`, with one buffer for all of them. */
export class PictureReader {
  #bytes: Buffer = Buffer.allocUnsafeSlow(1 << 18);

  /** @throws PictureRejection when the file is no whole JPEG; the system's error when the machine is at fault */
  read(path: string, picture: Picture): void {
    // first the file: it may replace the buffer by a larger one
    const length = this.#readFile(path);
    decode(this.#bytes.subarray(0, length), picture);
  }

  /**
   * Reads a picture of a shard.
   * @param place.name of the picture in the tar
   * @throws as `read`
   */
  readPlace(
    files: ShardFiles,
    place: { shard: number; name: string; offset: number; length: number },
    picture: Picture,
  ): void {
    const { name, length } = place;
    const wanted = headerBytes + length;
    while (this.#bytes.length < wanted) this.#grow();
    let read: number;
    try {
      read = files.read(place.shard, this.#bytes, wanted, place.offset - headerBytes);
    } catch (error) {
      throw rejectionOf(error, 'the shard is missing');
    }
    if (read < wanted) throw new PictureRejection('the shard is cut off');
    checkHeader(this.#bytes.subarray(0, headerBytes), { name, length, shard: files.name(place.shard) });
    decode(this.#bytes.subarray(headerBytes, wanted), picture);
  }

  /** Number of bytes read into the buffer, which is the whole file. */
  #readFile(path: string): number {
    let file: number | undefined;
    try {
      file = openSync(path, 'r');
      for (let length = 0; ; ) {
        if (length === this.#bytes.length) this.#grow();
        const read = readSync(file, this.#bytes, length, this.#bytes.length - length, null);
        if (read === 0) return length;
        length += read;
      }
    } catch (error) {
      throw rejectionOf(error, 'the file is missing');
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 4);
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

/** The rejection that a system's error means for the picture. @throws the error when the machine is at fault */
function rejectionOf(error: unknown, missing: string): PictureRejection {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || fatalCodes.has(code)) throw error;
  return new PictureRejection(code === 'ENOENT' ? missing : `cannot be read (${message})`, { cause: error });
}

function decode(bytes: Buffer, picture: Picture): void {
  if (bytes.length === 0) throw new PictureRejection('the file is empty');
  const header = readJpegHeader(bytes);
  if (!header) throw new PictureRejection(damage(bytes));
  const { width, height } = header;
  if (width * height > maximumPixels) throw new PictureRejection(`${width} x ${height} pixels are too many`);
  try {
    // it throws on every warning too, such as data that ends early
    decompressSync(bytes, picture.load(width, height), { format: FORMAT_RGB });
  } catch (error) {
    throw new PictureRejection(damage(bytes), { cause: error });
  }
}

/** The binding's own messages say nothing ("No error"), so the bytes are looked at. */
function damage(bytes: Buffer): string {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return 'the file is not a JPEG';
  const whole = bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
  return whole ? 'the JPEG is damaged' : 'the JPEG is cut off';
}
