import jpegTurbo from '@julusian/jpeg-turbo';
import sharp, { type OutputInfo } from 'sharp';
import { type Geometry, geometryOf, maximumAspect } from './geometry.js';
import { readJpegHeader } from './jpeg-header.js';
import type { PictureSettings } from './options.js';
import { decodingReason, maximumPixels, Rejection } from './rejection.js';
import { Resizer } from './resizer.js';
import { pixelSums } from './statistics.js';

const { bufferSize, compressSync, decompressSync, FORMAT_RGBX, SAMP_420 } = jpegTurbo;

/** Largest picture that is decoded whole and resized by our own resizer. */
const directPixels = 4_000_000;
/** Beyond this shrink in area, sharp is faster: it shrinks while it decodes. */
const directShrink = 25;

/** A picture as it is written, with what is counted over its pixels before JPEG encoding. */
export interface PreparedPicture {
  /** Valid until the next picture is prepared. */
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** As `pixelSums` gives them; undefined when no statistics are wanted. */
  readonly sums: number[] | undefined;
}

/** Turns the bytes of any picture file into the JPEG of the dataset. One for each thread. */
export class PicturePreparer {
  readonly #settings: PictureSettings;
  readonly #resizer = Resizer.create();
  #encoded = Buffer.alloc(0);

  constructor(settings: PictureSettings) {
    this.#settings = settings;
  }

  /** @throws Rejection when the bytes are no usable picture */
  async prepare(bytes: Buffer): Promise<PreparedPicture> {
    if (bytes.length === 0) throw new Rejection('empty file');
    return this.#prepareJpeg(bytes) ?? (await this.#prepareAny(bytes));
  }

  /** The quick way for plain JPEGs of moderate size; undefined when the general way has to be taken. */
  #prepareJpeg(bytes: Buffer): PreparedPicture | undefined {
    const header = this.#resizer && readJpegHeader(bytes);
    if (!this.#resizer || !header?.plain) return undefined;
    const geometry = this.#geometry(header);
    if (!isDirect(header, geometry)) return undefined;
    try {
      decompressSync(bytes, this.#resizer.source(header.width, header.height), { format: FORMAT_RGBX });
    } catch {
      // it also throws on mere warnings, without saying which: let the general decoder judge
      return undefined;
    }
    return this.#finish(this.#resize(this.#resizer, header, geometry), geometry);
  }

  /** The general way: any format, turned upright, in sRGB on white. */
  async #prepareAny(bytes: Buffer): Promise<PreparedPicture> {
    const { data, info, geometry, resizer } = await this.#decodeAny(bytes);
    if (!resizer) return this.#finish(data, geometry);
    resizer.source(info.width, info.height).set(data);
    return this.#finish(this.#resize(resizer, info, geometry), geometry);
  }

  /** Pixels of four bytes, still to be resized where a `resizer` is given back. */
  async #decodeAny(
    bytes: Buffer,
  ): Promise<{ data: Buffer; info: OutputInfo; geometry: Geometry; resizer: Resizer | undefined }> {
    try {
      const image = sharp(bytes, { failOn: 'error', limitInputPixels: maximumPixels });
      const upright = (await image.metadata()).autoOrient;
      const geometry = this.#geometry(upright);
      const resizer = isDirect(upright, geometry) ? this.#resizer : undefined;
      const { data, info } = await image
        .autoOrient()
        .resize(resizer ? null : { ...geometry.resized, fit: 'fill', kernel: 'cubic' })
        .flatten({ background: '#ffffff' })
        .toColourspace('srgb')
        .ensureAlpha()
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true });
      return { data, info, geometry, resizer };
    } catch (error) {
      if (error instanceof Rejection) throw error;
      throw new Rejection(decodingReason(bytes, error), { cause: error });
    }
  }

  #geometry(source: { width: number; height: number }): Geometry {
    const { width, height } = source;
    if (Math.max(width, height) > maximumAspect * Math.min(width, height)) {
      throw new Rejection(`${width} x ${height} pixels: one side is over ${maximumAspect} times the other`);
    }
    return geometryOf(source, this.#settings);
  }

  #resize(resizer: Resizer, source: { width: number; height: number }, geometry: Geometry): Buffer {
    const { width, height } = geometry.resized;
    return resizer.resize(source.width, source.height, width, height);
  }

  /** Cuts, counts and encodes pixels of four bytes each. */
  #finish(pixels: Buffer, { resized, kept }: Geometry): PreparedPicture {
    const { width, height } = kept;
    const inside = cut(pixels, resized.width, kept);
    const sums = this.#settings.statistics ? pixelSums(inside) : undefined;
    const room = bufferSize({ width, height, subsampling: SAMP_420 });
    if (this.#encoded.length < room) this.#encoded = Buffer.alloc(room);
    const jpeg = compressSync(inside, this.#encoded, {
      format: FORMAT_RGBX,
      width,
      height,
      subsampling: SAMP_420,
      quality: this.#settings.quality,
    });
    return { jpeg, width, height, sums };
  }
}

/** Whether a picture is decoded whole before it is resized. */
function isDirect(source: { width: number; height: number }, { resized }: Geometry): boolean {
  const pixels = source.width * source.height;
  return pixels <= Math.min(directPixels, directShrink * resized.width * resized.height);
}

/** Keeps a part of a picture of four bytes a pixel, in place. */
function cut(pixels: Buffer, width: number, kept: Geometry['kept']): Buffer {
  const rowBytes = kept.width * 4;
  if (kept.width !== width || kept.top !== 0) {
    for (let row = 0; row < kept.height; row++) {
      const from = ((kept.top + row) * width + kept.left) * 4;
      pixels.copyWithin(row * rowBytes, from, from + rowBytes);
    }
  }
  return pixels.subarray(0, kept.height * rowBytes);
}
