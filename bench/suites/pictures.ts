import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { preprocess } from '../../dist/data/preprocess/preprocess.js';

/** A folder of pictures, a folder a class: the one given, or 500 made-up ones of 300 x 200 pixels. */
export async function pictureFolder(given: string | undefined): Promise<string> {
  if (given && !existsSync(join(given, 'dataset.json'))) return given;
  const folder = join(tmpdir(), 'resnode-bench-pictures');
  if (existsSync(folder)) return folder;
  for (let index = 0; index < 500; index++) {
    const label = join(folder, `class-${index % 5}`);
    mkdirSync(label, { recursive: true });
    const noise = { type: 'gaussian' as const, mean: 100 + (index % 50), sigma: 40 };
    await sharp({ create: { width: 75, height: 50, channels: 3, background: '#888', noise } })
      .resize(300, 200)
      .jpeg({ quality: 90 })
      .toFile(join(label, `${index}.jpg`));
  }
  return folder;
}

/** A dataset of pictures whose smaller side is `size`: the one given, or one made from {@link pictureFolder}. */
export async function dataset(given: string | undefined, size = 128): Promise<string> {
  if (given && existsSync(join(given, 'dataset.json'))) return given;
  const out = join(tmpdir(), `resnode-bench-data-${size}-${process.pid}`);
  if (existsSync(join(out, 'dataset.json'))) return out;
  await preprocess({ pictures: await pictureFolder(given), out, size });
  return out;
}
