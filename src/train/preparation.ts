import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** How the pictures of a dataset were made, to prepare another picture likewise. */
export const preparation = z.object({
  /** Length of the smaller side in pixels, or the exact size. */
  size: z.union([z.int().min(1), z.object({ height: z.int().min(1), width: z.int().min(1) })]),
  centerCrop: z.boolean(),
  /** JPEG quality, 1 to 100. */
  quality: z.int().min(1).max(100),
});

export type Preparation = z.output<typeof preparation>;

const description = z.object({
  size: preparation.shape.size,
  options: preparation.pick({ centerCrop: true, quality: true }),
});

/** How the pictures of the dataset in `folder` were made; undefined where its description does not say. */
export async function readPreparation(folder: string): Promise<Preparation | undefined> {
  const text = await readFile(join(folder, 'dataset.json'), 'utf8');
  const result = description.safeParse(JSON.parse(text));
  return result.success ? { size: result.data.size, ...result.data.options } : undefined;
}
