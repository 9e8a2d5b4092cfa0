import sharp from 'sharp';
import { type DuplicateGroup, findDuplicates } from './duplicates.js';
import { type Broken, type Inspection, inspect } from './inspect.js';
import { type AuditSource, readAuditSource } from './pictures.js';

/** Options of {@link audit}. */
export interface AuditOptions {
  /** A dataset of `preprocess`, or a folder of pictures with a folder per class. */
  readonly folder: string;
  /** Class label from the folder's path, as for `preprocess`. */
  readonly labelPattern?: RegExp | undefined;
  /** Classes with fewer pictures are reported. Default 20. */
  readonly minPictures?: number | undefined;
  /** Pictures at work at once. Default 4. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Pictures of a class. */
export interface ClassCount {
  readonly label: string;
  readonly pictures: number;
}

/** What an audit found. */
export interface Audit {
  readonly folder: string;
  readonly kind: AuditSource['kind'];
  readonly pictures: number;
  /** Largest class first. */
  readonly classes: readonly ClassCount[];
  /** Fewer pictures than `minPictures`. */
  readonly smallClasses: readonly ClassCount[];
  readonly minPictures: number;
  /** Pictures of the largest class for each one of the smallest. */
  readonly imbalance: number;
  readonly broken: ReadonlyArray<{ readonly file: string; readonly reason: string }>;
  readonly duplicates: readonly DuplicateGroup[];
  readonly leaks: readonly DuplicateGroup[];
  readonly clashes: readonly DuplicateGroup[];
  readonly sizeOutliers: readonly Inspection[];
  readonly aspectOutliers: readonly Inspection[];
  /** Share of the usable pictures, 0 to 1. */
  readonly greyShare: number;
  readonly cmykShare: number;
  readonly seconds: number;
}

const defaults = { minPictures: 20, workers: 4 };

/** A longer side of more than so many times the shorter one is out of the ordinary. */
const mostAspect = 4;

/** A shorter side of less than this share of the median is out of the ordinary. */
const leastSideShare = 0.25;

/**
 * Looks for what spoils a training: broken files, the same picture twice, in train and in val, or in two classes,
 * classes with too few pictures, odd sizes.
 * @throws UserError when the folder holds neither a dataset nor classes of pictures; the signal's reason
 */
export async function audit(options: AuditOptions): Promise<Audit> {
  const { folder, minPictures = defaults.minPictures, signal } = options;
  const started = performance.now();
  const source = await readAuditSource(folder, options);
  const looked = await inspectAll(source, options);
  signal?.throwIfAborted();
  const inspections = looked.filter((each): each is Inspection => 'digest' in each);
  const broken = looked.filter((each): each is Broken => 'reason' in each);
  const duplicates = findDuplicates(inspections);
  const classes = countClasses(source, inspections);
  const share = (colour: Inspection['colour']): number =>
    inspections.filter((each) => each.colour === colour).length / Math.max(1, inspections.length);
  const [largest, smallest] = [classes[0]?.pictures ?? 0, classes.at(-1)?.pictures ?? 0];
  return {
    folder,
    kind: source.kind,
    pictures: source.pictures.length + source.rejected.length,
    classes,
    smallClasses: classes.filter(({ pictures }) => pictures < minPictures),
    minPictures,
    imbalance: largest / Math.max(1, smallest),
    broken: [
      ...source.rejected.map(({ file, reason }) => ({ file, reason })),
      ...broken.map(({ picture, reason }) => ({ file: picture.file, reason })),
    ],
    duplicates,
    leaks: duplicates.filter(({ leak }) => leak),
    clashes: duplicates.filter(({ clash }) => clash),
    sizeOutliers: sizeOutliers(inspections),
    aspectOutliers: inspections.filter(({ width, height }) => aspect(width, height) > mostAspect),
    greyShare: share('grey'),
    cmykShare: share('cmyk'),
    seconds: (performance.now() - started) / 1000,
  };
}

async function inspectAll(
  { pictures }: AuditSource,
  { workers = defaults.workers, signal, onProgress }: AuditOptions,
): Promise<Array<Inspection | Broken>> {
  const results: Array<Inspection | Broken> = new Array(pictures.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < pictures.length && !signal?.aborted) {
      const index = next++;
      const picture = pictures[index];
      if (picture) results[index] = await inspect(picture);
      onProgress?.({ done: ++done, total: pictures.length });
    }
  };
  const before = sharp.concurrency();
  // pictures are what runs in parallel, not the inside of one
  sharp.concurrency(1);
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    sharp.concurrency(before);
  }
  return results;
}

function countClasses({ classes }: AuditSource, inspections: readonly Inspection[]): ClassCount[] {
  const counts = new Map(classes.map((label) => [label, 0]));
  for (const { picture } of inspections) counts.set(picture.label, (counts.get(picture.label) ?? 0) + 1);
  return [...counts]
    .map(([label, pictures]) => ({ label, pictures }))
    .sort((a, b) => b.pictures - a.pictures || (a.label < b.label ? -1 : 1));
}

function sizeOutliers(inspections: readonly Inspection[]): Inspection[] {
  const side = ({ width, height }: Inspection): number => Math.min(width, height);
  const sides = inspections.map(side).sort((a, b) => a - b);
  const median = sides[sides.length >> 1] ?? 0;
  return inspections.filter((each) => side(each) < leastSideShare * median);
}

function aspect(width: number, height: number): number {
  return Math.max(width, height) / Math.min(width, height);
}
