import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readDataset } from '../dataset.js';
import { labelFolders } from '../preprocess/labels.js';
import { checkPictureFolder, type RejectedFile, scanPictures } from '../preprocess/scan.js';
import { readPicture } from '../read-picture.js';

/** A picture to look at. */
export interface AuditedPicture {
  /** Path below the folder that is audited, '/' between parts. */
  readonly file: string;
  /** The bytes of its file. @throws the file system's error */
  readonly read: () => Promise<Buffer>;
  readonly label: string;
  /** Undefined where nothing is split yet. */
  readonly split: 'train' | 'val' | undefined;
}

/** What there is to audit. */
export interface AuditSource {
  readonly kind: 'dataset' | 'pictures';
  readonly pictures: readonly AuditedPicture[];
  readonly classes: readonly string[];
  /** Files that are already known to be no use. */
  readonly rejected: readonly RejectedFile[];
}

/**
 * The pictures of a dataset that `preprocess` made, or of a folder with a folder per class.
 * @throws UserError when the folder is neither
 */
export async function readAuditSource(
  folder: string,
  options: { labelPattern?: RegExp | undefined; signal?: AbortSignal | undefined } = {},
): Promise<AuditSource> {
  return (await isDataset(folder)) ? fromDataset(folder) : fromPictures(folder, options);
}

async function isDataset(folder: string): Promise<boolean> {
  try {
    return (await stat(join(folder, 'dataset.json'))).isFile();
  } catch {
    return false;
  }
}

async function fromDataset(folder: string): Promise<AuditSource> {
  const { classes, train, val } = await readDataset(folder);
  const pictures = [['train', train] as const, ['val', val] as const].flatMap(([split, samples]) =>
    samples.map(
      (sample): AuditedPicture => ({
        file: sample.file,
        read: () => readPicture(folder, sample),
        label: classes[sample.label] ?? String(sample.label),
        split,
      }),
    ),
  );
  return { kind: 'dataset', pictures, classes, rejected: [] };
}

async function fromPictures(
  folder: string,
  { labelPattern, signal }: { labelPattern?: RegExp | undefined; signal?: AbortSignal | undefined },
): Promise<AuditSource> {
  await checkPictureFolder(folder);
  const { folders, rejected } = await scanPictures(folder, { signal });
  const { ofFolder, sorted } = labelFolders(folders, {
    pictures: folder,
    labelPattern,
    readClassLabel: undefined,
  });
  const pictures = folders.flatMap(({ path, pictures: names }, index) =>
    names.map(
      (name): AuditedPicture => ({
        file: `${path}/${name}`,
        read: () => readFile(join(folder, path, name)),
        label: ofFolder[index] ?? '',
        split: undefined,
      }),
    ),
  );
  return { kind: 'pictures', pictures, classes: sorted, rejected };
}
