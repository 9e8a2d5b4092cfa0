import { dirname } from 'node:path';
import { writeFileAtomic } from '../data/atomic-write.js';
import { type Dataset, readDataset } from '../data/dataset.js';
import type { Split } from '../data/loader/job.js';
import { SampleReader } from '../data/loader/sample-reader.js';
import { makeFolder } from '../data/make-folder.js';
import type { Sample } from '../data/sample.js';
import { Picture, PictureRejection } from '../data/transforms/picture.js';
import { type PictureFunction, Pipeline } from '../data/transforms/pipeline.js';
import type { Normalization, Size, TransformSpec } from '../data/transforms/transform.js';
import { UserError } from '../errors.js';
import { permutation } from '../random/permutation.js';
import { randomPurpose } from '../random/philox.js';
import { RandomStream } from '../random/random-stream.js';
import { completeLists, listsFor, type TransformSettings } from '../train/transform-lists.js';
import { contactSheet, type SheetRow, type Tile } from './contact-sheet.js';
import { prepareList, sizeOf } from './transform-steps.js';
import { type StageTime, timeTransforms } from './transform-times.js';

export interface AugmentOptions {
  /** Folder that `resnode preprocess` made. */
  data: string;
  /** Whose pictures and transforms. Default: train. */
  split?: Split;
  /** What is done to the pictures of a split; what is left out is what a training does by default. */
  transforms?: TransformSettings;
  /** Height and width of the pictures that the network sees. Default: 7/8 of the pictures, at most 224. */
  crop?: number;
  /** PNG to write; none is drawn without it. */
  out?: string;
  /** Pictures on the sheet. Default 6. */
  rows?: number;
  /** Draws of each. Default 8. */
  draws?: number;
  /** Default 0. */
  seed?: number;
  /** Whether to time the transforms. */
  stats?: boolean;
  onProgress?: (done: number, total: number) => void;
}

export interface AugmentResult {
  readonly sheet: { readonly file: string; readonly pictures: readonly SheetPicture[] } | undefined;
  readonly times: { readonly pictures: number; readonly stages: readonly StageTime[] } | undefined;
  readonly rejected: ReadonlyArray<{ readonly file: string; readonly reason: string }>;
}

interface SheetPicture {
  readonly file: string;
  readonly label: string;
}

const untouched: Normalization = { mean: [0, 0, 0], std: [1, 1, 1] };
const timedPictures = 400;

/**
 * Shows what the transforms make of pictures: a contact sheet, and what each costs. The draws of a sheet are
 * those that a training of the same seed makes in its first epochs.
 * @throws UserError when the dataset or a transform is not right
 */
export async function augment(options: AugmentOptions): Promise<AugmentResult> {
  const { split = 'train', seed = 0 } = options;
  const dataset = await readDataset(options.data);
  const samples = dataset[split];
  if (samples.length === 0) throw new UserError(`the dataset has no pictures in ${split}`);
  const side = options.crop ?? Math.max(1, Math.min(224, Math.round((dataset.minSide * 7) / 8)));
  const size = { height: side, width: side };
  const specs = completeLists(size, { transforms: listsFor(size, options.transforms), flip: true })[split];
  const order = permutation(samples.length, seed, 0);
  const reader = new SampleReader(dataset.folder, split);
  try {
    return await show({ ...options, dataset, specs, order, reader });
  } finally {
    reader.close();
  }
}

async function show(work: Work): Promise<AugmentResult> {
  const { dataset, split = 'train', seed = 0, specs, order, reader, out, onProgress } = work;
  const sheet = out === undefined ? undefined : await drawSheet(work);
  if (sheet && out !== undefined) {
    await makeFolder(dirname(out));
    await writeFileAtomic(out, sheet.png);
  }
  const timed = [...order.subarray(0, timedPictures)].map((index) => ({
    sample: dataset[split][index] as Sample,
    index,
  }));
  const { mean, std } = dataset;
  return {
    sheet: sheet && out !== undefined ? { file: out, pictures: sheet.pictures } : undefined,
    times: work.stats
      ? {
          pictures: timed.length,
          stages: timeTransforms({
            reader,
            samples: timed,
            specs: checked(specs),
            normalization: { mean, std },
            random: randomOf(split, seed),
            ...(onProgress ? { onProgress } : {}),
          }),
        }
      : undefined,
    rejected: sheet?.rejected ?? [],
  };
}

function randomOf(split: Split, seed: number): RandomStream {
  return new RandomStream(
    seed,
    split === 'train' ? randomPurpose.trainTransforms : randomPurpose.valTransforms,
  );
}

interface Work extends AugmentOptions {
  readonly dataset: Dataset;
  readonly specs: readonly TransformSpec[];
  /** Samples in the order in which they are taken. */
  readonly order: Int32Array;
  readonly reader: SampleReader;
}

async function drawSheet(work: Work) {
  const { dataset, split = 'train', rows: wanted = 6, draws = 8, seed = 0 } = work;
  const artist = new Artist(work.specs, work.reader);
  const random = randomOf(split, seed);
  const rows: SheetRow[] = [];
  const pictures: SheetPicture[] = [];
  const rejected: Array<{ file: string; reason: string }> = [];
  for (const index of work.order) {
    if (rows.length === wanted) break;
    const sample = dataset[split][index] as Sample;
    const { file, label } = sample;
    try {
      const made = Array.from({ length: draws }, (_, epoch) => {
        random.seek(epoch, index);
        return artist.draw(sample, random);
      });
      rows.push({ original: artist.original(sample), draws: made });
      pictures.push({ file, label: dataset.classes[label] ?? String(label) });
    } catch (error) {
      if (!(error instanceof PictureRejection)) throw error;
      rejected.push({ file, reason: error.message });
    }
  }
  const [first] = rejected;
  if (rows.length === 0) {
    throw new UserError(
      `the transforms take none of the pictures; the first: ${first?.file}: ${first?.reason}`,
    );
  }
  const captions = ['original', ...Array.from({ length: draws }, (_, epoch) => `epoch ${epoch + 1}`)];
  return { png: await contactSheet(rows, captions), pictures, rejected };
}

/** The list without the normalisation at its end, which does not show in a picture, checked as a whole. */
function checked(specs: readonly TransformSpec[]): readonly TransformSpec[] {
  const shown = specs.at(-1)?.name === 'Normalize' ? specs.slice(0, -1) : specs;
  // the size is that of the list itself, so only the list can be wrong
  new Pipeline(specs, { size: listSize(shown) ?? { height: 1, width: 1 }, normalization: untouched });
  return shown;
}

/** Makes pictures as the loader does, but back in bytes. */
class Artist {
  readonly #specs: readonly TransformSpec[];
  readonly #size: Size | undefined;
  readonly #pipelines = new Map<string, PictureFunction>();
  readonly #reader: SampleReader;
  readonly #picture = new Picture();

  constructor(specs: readonly TransformSpec[], reader: SampleReader) {
    this.#reader = reader;
    this.#specs = checked(specs);
    this.#size = listSize(this.#specs);
  }

  original(sample: Sample): Tile {
    this.#reader.read(sample, this.#picture);
    const { width, height, pixels } = this.#picture;
    return { width, height, pixels: Uint8Array.from(pixels.subarray(0, 3 * width * height)) };
  }

  draw(sample: Sample, random: RandomStream): Tile {
    this.#reader.read(sample, this.#picture);
    const { width, height } = this.#size ?? this.#picture;
    const planes = new Float32Array(3 * width * height);
    this.#pipeline({ width, height })(this.#picture, random, planes, 0);
    return { width, height, pixels: interleaved(planes, width * height) };
  }

  /** Where the list says no size, pictures keep theirs, and each size needs a pipeline. */
  #pipeline(size: Size): PictureFunction {
    const key = `${size.height} x ${size.width}`;
    const known = this.#pipelines.get(key);
    if (known) return known;
    const made = new Pipeline(this.#specs, { size, normalization: untouched }).compile();
    this.#pipelines.set(key, made);
    return made;
  }
}

function listSize(specs: readonly TransformSpec[]): Size | undefined {
  return prepareList(specs).length === specs.length ? sizeOf(specs) : undefined;
}

function interleaved(planes: Float32Array, plane: number): Uint8Array {
  const pixels = new Uint8Array(3 * plane);
  for (let at = 0; at < plane; at++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[3 * at + channel] = planes[channel * plane + at] as number;
    }
  }
  return pixels;
}
