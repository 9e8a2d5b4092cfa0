import { join } from 'node:path';
import sharp from 'sharp';
import { writeFileAtomic } from '../data/atomic-write.js';
import { type PictureSource, readPictureNamed } from '../data/read-picture.js';
import { UserError } from '../errors.js';
import { reportPage } from './html/page.js';
import type { Report } from './report.js';

/** Largest side of an embedded picture, in pixels. */
const side = 192;

/** Where a report was written. */
export interface ReportFiles {
  readonly html: string;
  readonly json: string;
}

export function reportFiles(folder: string): ReportFiles {
  return { html: join(folder, 'report.html'), json: join(folder, 'report.json') };
}

/**
 * Writes report.html, which is one file and loads nothing, and report.json.
 * @param options.folder where to; it has to exist
 * @param options.source of the pictures that the report names
 * @throws UserError when they cannot be written
 */
export async function writeReport(options: {
  report: Report;
  folder: string;
  source: PictureSource;
}): Promise<ReportFiles> {
  const { report, folder, source } = options;
  const pictures = await smallPictures(
    source,
    report.worstMistakes.map(({ file }) => file),
  );
  const files = reportFiles(folder);
  const page = await reportPage({ report, pictures });
  try {
    await writeFileAtomic(files.json, `${JSON.stringify(report, null, 2)}\n`);
    await writeFileAtomic(files.html, page);
  } catch (error) {
    throw new UserError(`cannot write the report into ${folder}: ${(error as Error).message}`, {
      hint: 'Give another folder with --report FOLDER.',
      cause: error,
    });
  }
  return files;
}

/** Small JPEGs by file; without those that are gone or damaged. */
async function smallPictures(
  source: PictureSource,
  files: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const pictures = new Map<string, Uint8Array>();
  for (const file of files) {
    const bytes = await readPictureNamed(source, file)
      .then(smaller)
      .catch(() => undefined);
    if (bytes) pictures.set(file, bytes);
  }
  return pictures;
}

function smaller(picture: Buffer): Promise<Buffer> {
  return sharp(picture)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .jpeg({ quality: 80 })
    .toBuffer();
}
