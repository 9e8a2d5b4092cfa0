import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '../../errors.js';
import { byCodePoint } from './code-point-order.js';
import { readingReason } from './rejection.js';

/** A file that will not become part of the dataset; `file` is its path below the pictures' folder. */
export interface RejectedFile {
  readonly file: string;
  readonly reason: string;
}

/** A folder that directly holds pictures. */
export interface ClassFolder {
  /** Path below the pictures' folder, '/' between parts. */
  readonly path: string;
  /** Names of its pictures, sorted. */
  readonly pictures: readonly string[];
}

/** What lies below a folder of pictures. */
export interface Scan {
  readonly folders: readonly ClassFolder[];
  /** Pictures that lie in no class folder, and folders that cannot be read. */
  readonly rejected: readonly RejectedFile[];
  /** Number of files that are no pictures and were passed over. */
  readonly ignored: number;
}

/** Extensions of pictures, including some that are refused later with a reason. */
const pictureExtensions = new Set(
  (
    '.jpg .jpeg .jpe .jfif .pjpeg .png .apng .webp .gif .tif .tiff .avif .svg ' +
    '.bmp .dib .heic .heif .jp2 .j2k .jxl .ico .psd .ppm .pgm .pbm'
  ).split(' '),
);

const housekeepingFolders = new Set(['__MACOSX', '@eaDir', '$RECYCLE.BIN', 'System Volume Information']);

/** Whether a file without a picture's extension starts like a picture that needs none. */
async function startsLikePicture(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(12), 0, 12, 0);
      const start = buffer.toString('latin1', 0, bytesRead);
      return /^(\xff\xd8\xff|\x89PNG\r\n|GIF8|RIFF....WEBP)/s.test(start);
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

type Entry = 'folder' | 'picture' | 'other' | 'broken';

async function kindOf(path: string, entry: Dirent): Promise<Entry> {
  const looksLikePicture = pictureExtensions.has(extname(entry.name).toLowerCase());
  let found: { isDirectory(): boolean; isFile(): boolean } = entry;
  if (entry.isSymbolicLink()) {
    try {
      found = await stat(path);
    } catch {
      return looksLikePicture ? 'broken' : 'other';
    }
  }
  if (found.isDirectory()) return 'folder';
  if (!found.isFile()) return 'other';
  return looksLikePicture || (await startsLikePicture(path)) ? 'picture' : 'other';
}

/**
 * Finds the class folders below `root`. Hidden files and folders are passed over, links are followed
 * (except back into a folder that is being read).
 * @param options.loose whether pictures that lie in no folder count too, as the folder ''
 * @param root a readable folder, see `checkPictureFolder`
 */
export async function scanPictures(
  root: string,
  options: { signal?: AbortSignal | undefined; loose?: boolean; onFound?: (pictures: number) => void } = {},
): Promise<Scan> {
  const folders: ClassFolder[] = [];
  const rejected: RejectedFile[] = [];
  let ignored = 0;
  let count = 0;

  const visit = async (below: string, above: readonly string[]): Promise<void> => {
    options.signal?.throwIfAborted();
    const folder = join(root, below);
    const { dev, ino } = await stat(folder);
    const self = `${dev}:${ino}`;
    if (ino !== 0 && above.includes(self)) return;
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => byCodePoint(a.name, b.name));
    const pictures: string[] = [];
    const subfolders: string[] = [];
    for (const entry of entries) {
      const path = below ? `${below}/${entry.name}` : entry.name;
      if (entry.name.startsWith('.')) {
        if (!entry.isDirectory()) ignored++;
        continue;
      }
      const kind = await kindOf(join(folder, entry.name), entry);
      if (kind === 'other') ignored++;
      else if (kind === 'folder') {
        if (!housekeepingFolders.has(entry.name)) subfolders.push(path);
      } else if (below === '' && !options.loose)
        rejected.push({ file: path, reason: 'lies in no class folder' });
      else if (kind === 'broken') rejected.push({ file: path, reason: 'a link to nothing, or removed' });
      else pictures.push(entry.name);
    }
    if (pictures.length > 0) folders.push({ path: below, pictures });
    count += pictures.length;
    options.onFound?.(count);
    for (const subfolder of subfolders) {
      try {
        await visit(subfolder, [...above, self]);
      } catch (error) {
        options.signal?.throwIfAborted();
        rejected.push({ file: `${subfolder}/`, reason: readingReason(subfolder, error) });
      }
    }
  };

  await visit('', []);
  folders.sort((a, b) => byCodePoint(a.path, b.path));
  return { folders, rejected, ignored };
}

/** @throws UserError when `root` is no readable folder */
export async function checkPictureFolder(root: string): Promise<void> {
  const hint = 'Give a folder that holds one folder of pictures per class.';
  try {
    if (!(await stat(root)).isDirectory()) throw new UserError(`${root} is not a folder`, { hint });
    await readdir(root);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UserError(`the folder ${root} does not exist`, { hint, cause: error });
    throw new UserError(`the folder ${root} cannot be read: ${code}`, { hint, cause: error });
  }
}
