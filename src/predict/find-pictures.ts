import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';

const extensions = /\.(jpe?g|jpe|jfif|pjpeg|a?png|webp|gif|tiff?|avif|svg|bmp|heic|heif|jp2|jxl|psd)$/i;

/**
 * The files that are meant: those given as they are, and what looks like a picture in the folders given, at
 * any depth, sorted. Hidden files are passed over.
 * @throws UserError for a path that is not there, and when a folder holds no pictures
 */
export async function findPictures(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (!(await isFolder(path))) {
      found.push(path);
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const pictures = entries
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && extensions.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (pictures.length === 0) throw new UserError(`there are no pictures in ${path}`);
    found.push(...pictures);
  }
  return found;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(code === 'ENOENT' ? `there is no ${path}` : `cannot read ${path}: ${message}`, {
      hint: 'Give pictures, or folders with pictures.',
      cause: error,
    });
  }
}
