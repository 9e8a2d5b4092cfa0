import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Dataset } from './dataset.js';
import type { Sample } from './sample.js';

/**
 * The JPEG of a sample, from a file of its own or from a shard.
 * @param folder of the dataset
 * @throws the file system's error
 */
export async function readPicture(folder: string, { file, place }: Sample): Promise<Buffer> {
  if (!place) return readFile(join(folder, file));
  const shard = await open(join(folder, dirname(file)), 'r');
  try {
    const bytes = Buffer.alloc(place.length);
    const { bytesRead } = await shard.read(bytes, 0, place.length, place.offset);
    return bytes.subarray(0, bytesRead);
  } finally {
    await shard.close();
  }
}

/** Where the pictures of a split are. */
export interface PictureSource {
  /** Folder of the dataset. */
  readonly folder: string;
  readonly samples: readonly Sample[];
}

/** The validation pictures of a dataset. */
export function validationPictures({ folder, val }: Pick<Dataset, 'folder' | 'val'>): PictureSource {
  return { folder, samples: val };
}

/**
 * The JPEG of the sample with this file, for a few that have to be looked up.
 * @throws the file system's error
 */
export function readPictureNamed({ folder, samples }: PictureSource, file: string): Promise<Buffer> {
  return readPicture(folder, samples.find((sample) => sample.file === file) ?? { file, label: -1 });
}
