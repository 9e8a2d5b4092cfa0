/** Why a picture is left out, in words for its owner; it lands in rejected.csv. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
}

/** Most pixels that a picture may have; what is larger is taken for a broken header. */
export const maximumPixels = 500_000_000;

/** Content that people meet under a picture's name, by how it starts (`printable`). */
const unsupported: ReadonlyArray<readonly [RegExp, string]> = [
  [/^BM/, 'a BMP picture, which is not supported: convert it to PNG'],
  [/^....ftyp(heic|heix|hevc|mif1|msf1)/, 'a HEIC picture, which is not supported: convert it to JPEG'],
  [/^....JXL /, 'a JPEG XL picture, which is not supported: convert it to PNG'],
  [/^....jP {2}/, 'a JPEG 2000 picture, which is not supported: convert it to PNG'],
  [/^8BPS/, 'a Photoshop file, which is not supported: convert it to PNG'],
  [/^P[1-6]\.\d/, 'a PNM picture, which is not supported: convert it to PNG'],
  [/^%PDF/, 'a PDF file, not a picture'],
  [/^[ .]*(<!doctype html|<html)/i, 'a web page, not a picture'],
  [/^....ftyp/, 'a video, not a picture'],
];

/** The first bytes with a dot for everything that is not a printable ASCII character. */
function printable(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 64).replace(/[^ -~]/g, '.');
}

/** The reason for a picture that the decoder refused. */
export function decodingReason(bytes: Buffer, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/exceeds pixel limit/i.test(message)) return `more than ${maximumPixels / 1e6} megapixels`;
  const start = printable(bytes);
  const known = unsupported.find(([pattern]) => pattern.test(start));
  if (known) return known[1];
  if (/^(\.PNG|GIF8|RIFF|II\*\.|MM\.\*)/.test(start) && /unsupported image format/i.test(message)) {
    return 'damaged or cut off';
  }
  if (/unsupported image format/i.test(message)) return 'not a picture: unknown content';
  if (/premature end|unexpected end|truncat|corrupt header|read error|not enough|no image/i.test(message)) {
    return 'damaged or cut off';
  }
  return `cannot be decoded: ${message.split('\n', 1)[0]}`;
}

/** The reason for a picture whose file cannot be read. */
export function readingReason(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') {
    // names that are no UTF-8 come back from the file system with this character in the place of bytes
    return path.includes('\ufffd')
      ? 'its name is not valid UTF-8: rename it'
      : 'a link to nothing, or removed';
  }
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  if (code === 'ERR_FS_FILE_TOO_LARGE') return 'larger than 2 GiB';
  return `cannot be read: ${code ?? (error as Error).message}`;
}
