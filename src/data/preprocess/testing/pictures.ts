import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

/** A folder of pictures for a test, and room for datasets beside it. */
export interface PictureFolder {
  readonly root: string;
  readonly pictures: string;
  put(file: string, content: Buffer | string): Promise<void>;
  /** Classes a, b, c ... of small pictures, each of another colour. */
  fill(classes: number, perClass: number): Promise<void>;
  remove(): Promise<void>;
}

export async function pictureFolder(): Promise<PictureFolder> {
  const root = await mkdtemp(join(tmpdir(), 'resnode-pictures-'));
  const pictures = join(root, 'photos');
  const put = async (file: string, content: Buffer | string): Promise<void> => {
    const path = join(pictures, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  return {
    root,
    pictures,
    put,
    async fill(classes, perClass) {
      for (let label = 0; label < classes; label++) {
        for (let i = 0; i < perClass; i++) {
          await put(`${String.fromCharCode(97 + label)}/${i}.png`, await colour(label * 40 + i));
        }
      }
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A picture whose colour tells it from others. */
export function colour(value: number): Promise<Buffer> {
  const background = { r: value % 256, g: 255 - (value % 256), b: (value * 7) % 256 };
  return sharp({ create: { width: 40, height: 30, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Every file of a folder with its bytes. */
export async function contents(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const pairs = files
    .sort()
    .map(async (file) => [file.slice(folder.length + 1), await readFile(file, 'hex')] as const);
  return new Map(await Promise.all(pairs));
}
