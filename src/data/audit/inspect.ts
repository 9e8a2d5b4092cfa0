import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { decodingReason, maximumPixels, readingReason } from '../preprocess/rejection.js';
import { differenceHash, thumbnailSide } from './fingerprint.js';
import type { AuditedPicture } from './pictures.js';

/** What a look at one picture showed. */
export interface Inspection {
  readonly picture: AuditedPicture;
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly colour: 'colour' | 'grey' | 'cmyk';
  /** SHA-256 of the file. */
  readonly digest: string;
  readonly hash: Uint16Array;
  readonly thumbnail: Uint8Array;
}

/** A picture that cannot be used. */
export interface Broken {
  readonly picture: AuditedPicture;
  readonly reason: string;
}

/** Largest difference of a pixel's channels in a picture that counts as grey; JPEG's rounding leaves some. */
const greyTolerance = 8;

/** Decodes a picture whole and measures it. */
export async function inspect(picture: AuditedPicture): Promise<Inspection | Broken> {
  let bytes: Buffer;
  try {
    bytes = await picture.read();
  } catch (error) {
    return { picture, reason: readingReason(picture.file, error) };
  }
  if (bytes.length === 0) return { picture, reason: 'empty file' };
  try {
    const image = sharp(bytes, { failOn: 'error', limitInputPixels: maximumPixels });
    const { autoOrient, space } = await image.metadata();
    const size = 32;
    const rgb = await image
      .autoOrient()
      // to the thumbnail in one go: this decodes the whole picture, so damage shows
      .resize({ width: size, height: size, fit: 'fill', fastShrinkOnLoad: false })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    const grey = greyLevels(rgb);
    return {
      picture,
      width: autoOrient.width,
      height: autoOrient.height,
      colour: space === 'cmyk' ? 'cmyk' : isGrey(rgb) ? 'grey' : 'colour',
      digest: createHash('sha256').update(bytes).digest('hex'),
      hash: differenceHash(shrink(grey, size, 9, 8)),
      thumbnail: shrink(grey, size, thumbnailSide, thumbnailSide),
    };
  } catch (error) {
    return { picture, reason: decodingReason(bytes, error) };
  }
}

function greyLevels(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let index = 0; index < grey.length; index++) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(index * 3, index * 3 + 3);
    grey[index] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return grey;
}

function isGrey(rgb: Uint8Array): boolean {
  for (let index = 0; index < rgb.length; index += 3) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(index, index + 3);
    if (Math.max(r, g, b) - Math.min(r, g, b) > greyTolerance) return false;
  }
  return true;
}

/** Means over the parts of a square picture. */
function shrink(grey: Uint8Array, side: number, width: number, height: number): Uint8Array {
  const small = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const [top, bottom] = [Math.floor((row * side) / height), Math.ceil(((row + 1) * side) / height)];
    for (let column = 0; column < width; column++) {
      const [left, right] = [Math.floor((column * side) / width), Math.ceil(((column + 1) * side) / width)];
      let sum = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) sum += grey[y * side + x] as number;
      }
      small[row * width + column] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return small;
}
