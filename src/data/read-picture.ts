import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
