import { join } from 'node:path';
import type { Sample } from '../sample.js';
import type { Picture } from '../transforms/picture.js';
import type { Split } from './job.js';
import { PictureReader } from './picture-reader.js';
import { ShardFiles } from './shard-files.js';

/** Reads samples of one split into a `Picture` as the loader threads do, from files or from shards. */
export class SampleReader {
  readonly #folder: string;
  readonly #reader = new PictureReader();
  readonly #files: ShardFiles;

  /** @param folder of the dataset */
  constructor(folder: string, split: Split) {
    this.#folder = folder;
    this.#files = new ShardFiles(folder, split);
  }

  /** @throws PictureRejection when the picture cannot be used; the system's error when the machine is at fault */
  read({ file, place }: Sample, picture: Picture): void {
    if (place) {
      const name = file.slice(file.indexOf('/') + 1);
      this.#reader.readPlace(this.#files, { ...place, name }, picture);
    } else this.#reader.read(join(this.#folder, file), picture);
  }

  close(): void {
    this.#files.close();
  }
}
