/** What must be known of a JPEG before it is decoded. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /**
   * True for a picture that needs nothing but decoding: 8 bit, grey or YCbCr, upright, in sRGB.
   * Turned pictures, CMYK and other colour spaces are left to the general decoder.
   */
  readonly plain: boolean;
}

const ascii = (bytes: Buffer, at: number, text: string): boolean =>
  bytes.toString('latin1', at, at + text.length) === text;

/** EXIF orientation from an APP1 segment's content, 1 (upright) when it has none. */
function orientation(segment: Buffer): number {
  if (segment.length < 14 || !ascii(segment, 0, 'Exif\0\0')) return 1;
  const tiff = segment.subarray(6);
  const little = ascii(tiff, 0, 'II');
  const u16 = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = u32(4);
  const entries = u16(directory);
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12;
    if (u16(at) === 0x0112) return u16(at + 8);
  }
  return 1;
}

/** Whether a colour profile calls itself sRGB, in the one-byte or two-byte text that profiles use. */
function saysSrgb(segment: Buffer): boolean {
  return segment.includes('sRGB', 0, 'latin1') || segment.includes('\0s\0R\0G\0B', 0, 'latin1');
}

/**
 * Reads the markers of a JPEG up to its frame header.
 * @returns undefined when the bytes are no JPEG or one that this reader does not follow
 */
export function readJpegHeader(bytes: Buffer): JpegHeader | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let plain = true;
  let at = 2;
  try {
    while (bytes[at] === 0xff) {
      const marker = bytes[at + 1] ?? 0;
      if (marker === 0xff) {
        at++;
        continue;
      }
      const length = bytes.readUInt16BE(at + 2);
      const segment = bytes.subarray(at + 4, at + 2 + length);
      if (marker === 0xe1) plain &&= orientation(segment) <= 1;
      else if (marker === 0xe2 && ascii(segment, 0, 'ICC_PROFILE\0')) plain &&= saysSrgb(segment);
      // Adobe's marker: 1 is YCbCr, 0 is RGB or CMYK without a transform
      else if (marker === 0xee && ascii(segment, 0, 'Adobe')) plain &&= segment[11] === 1;
      else if (marker >= 0xc0 && marker <= 0xc2) {
        const components = segment.readUInt8(5);
        plain &&= segment.readUInt8(0) === 8 && (components === 1 || components === 3);
        const [height, width] = [segment.readUInt16BE(1), segment.readUInt16BE(3)];
        return width > 0 && height > 0 ? { width, height, plain } : undefined;
      } else if (marker === 0xda || marker === 0xd9) return undefined;
      at += 2 + length;
    }
  } catch {
    // a length that points past the end: the general decoder says what is wrong
  }
  return undefined;
}
