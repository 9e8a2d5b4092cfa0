import jpegTurbo from '@julusian/jpeg-turbo';
import sharp from 'sharp';
import { type Geometry, geometryOf, maximumAspect } from './geometry.js';
import type { PictureSettings } from './options.js';
import { decodingReason, maximumPixels, Rejection } from './rejection.js';
import { pixelSums } from './statistics.js';

const { compressSync, FORMAT_RGB, SAMP_420 } = jpegTurbo;

/** A picture as it is written, with what is counted over its pixels before JPEG encoding. */
export interface PreparedPicture {
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** As `pixelSums` gives them; undefined when no statistics are wanted. */
  readonly sums: number[] | undefined;
}

/** Turns the bytes of any picture file into the JPEG of the dataset. */
export class PicturePreparer {
  readonly #settings: PictureSettings;

  constructor(settings: PictureSettings) {
    this.#settings = settings;
  }

  /** @throws Rejection when the bytes are no usable picture */
  async prepare(bytes: Buffer): Promise<PreparedPicture> {
    if (bytes.length === 0) throw new Rejection('empty file');
    const { quality, statistics } = this.#settings;
    const { pixels, width, height } = await this.#decode(bytes);
    const sums = statistics ? pixelSums(pixels) : undefined;
    // libjpeg-turbo's own encoder takes a fifth of the time of sharp's
    const jpeg = compressSync(pixels, { format: FORMAT_RGB, width, height, subsampling: SAMP_420, quality });
    return { jpeg, width, height, sums };
  }

  /** RGB pixels: turned upright, resized, cut, in sRGB on white. */
  async #decode(bytes: Buffer): Promise<{ pixels: Buffer; width: number; height: number }> {
    try {
      const image = sharp(bytes, { failOn: 'error', limitInputPixels: maximumPixels });
      const { resized, kept } = this.#geometry((await image.metadata()).autoOrient);
      const pixels = await image
        .autoOrient()
        .resize({ ...resized, fit: 'fill', kernel: 'cubic' })
        .extract(kept)
        .flatten({ background: '#ffffff' })
        .toColourspace('srgb')
        .raw({ depth: 'uchar' })
        .toBuffer();
      return { pixels, width: kept.width, height: kept.height };
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
}
