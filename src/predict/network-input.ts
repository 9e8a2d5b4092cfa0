import { readFile } from 'node:fs/promises';
import jpegTurbo from '@julusian/jpeg-turbo';
import { PicturePreparer } from '../data/preprocess/prepare-picture.js';
import { Rejection, readingReason } from '../data/preprocess/rejection.js';
import { Picture, PictureRejection } from '../data/transforms/picture.js';
import { type PictureFunction, Pipeline } from '../data/transforms/pipeline.js';
import { randomPurpose } from '../random/philox.js';
import { RandomStream } from '../random/random-stream.js';
import type { CheckpointInfo } from '../train/checkpoint.js';
import type { Preparation } from '../train/preparation.js';
import { runTransforms } from '../train/run-transforms.js';

const { decompressSync, FORMAT_RGB } = jpegTurbo;

/** Prepared pictures are larger than the crop by this factor, as 256 is than 224, where nothing else is known. */
const usualMargin = 8 / 7;
const usualQuality = 96;

/** Turns any picture file into what the network takes, by the same way as the pictures that it was validated on. */
export class NetworkInput {
  /** Floats of one picture. */
  readonly length: number;
  readonly #preparer: PicturePreparer;
  readonly #transform: PictureFunction;
  readonly #picture = new Picture();
  readonly #random = new RandomStream(0, randomPurpose.valTransforms);

  constructor({ crop, normalization, preparation, config }: CheckpointInfo) {
    this.length = 3 * crop.height * crop.width;
    this.#preparer = new PicturePreparer({ ...(preparation ?? usual(crop)), statistics: false });
    this.#transform = new Pipeline(runTransforms(config).val, { size: crop, normalization }).compile();
  }

  /**
   * Writes a picture, normalised, in planes, to `length` floats of `out` from index `at` on.
   * @returns why the file is no usable picture; undefined when it is one
   */
  async read(file: string, out: Float32Array, at: number): Promise<string | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(file);
    } catch (error) {
      return readingReason(file, error);
    }
    try {
      const { jpeg, width, height } = await this.#preparer.prepare(bytes);
      decompressSync(Buffer.from(jpeg), this.#picture.load(width, height), { format: FORMAT_RGB });
      this.#transform(this.#picture, this.#random, out, at);
      return undefined;
    } catch (error) {
      if (error instanceof Rejection || error instanceof PictureRejection) return error.message;
      throw error;
    }
  }
}

function usual({ height, width }: CheckpointInfo['crop']): Preparation {
  const size = Math.round(Math.max(height, width) * usualMargin);
  return { size, centerCrop: false, quality: usualQuality };
}
