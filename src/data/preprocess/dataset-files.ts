import { resnodeVersion } from '../../version.js';
import { writeCsv } from '../csv.js';
import { byCodePoint } from './code-point-order.js';
import type { ResolvedOptions } from './options.js';
import type { RejectedFile } from './scan.js';
import type { Rgb } from './statistics.js';

/** A picture of the finished dataset. */
export interface DatasetPicture {
  readonly name: string;
  readonly label: string;
  readonly validation: boolean;
  readonly width: number;
  readonly height: number;
}

/** All that the files beside the pictures say. */
export interface DatasetSummary {
  readonly pictures: readonly DatasetPicture[];
  /** Sorted; a label's position is its class id. */
  readonly labels: readonly string[];
  readonly rejected: readonly RejectedFile[];
  readonly mean: Rgb | null;
  readonly std: Rgb | null;
}

/** Version of the dataset's layout, in dataset.json. */
const datasetVersion = 1;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The files beside the pictures by name, and the text of dataset.json, which is written after them. */
export function datasetFiles(
  summary: DatasetSummary,
  options: ResolvedOptions,
): { files: Map<string, string>; dataset: string } {
  const { pictures, labels, rejected, mean, std } = summary;
  const ids = new Map(labels.map((label, id) => [label, id]));
  const table = (validation: boolean): string =>
    writeCsv(
      ['image', 'class'],
      pictures
        .filter((picture) => picture.validation === validation)
        .map(({ name, label }) => [`${name}.jpg`, ids.get(label) ?? -1] as const)
        .sort(([a], [b]) => byCodePoint(a, b)),
    );
  const files = new Map([
    ['train.csv', table(false)],
    ['val.csv', table(true)],
    [
      'categories.csv',
      writeCsv(
        ['id', 'label'],
        labels.map((label, id) => [id, label]),
      ),
    ],
    [
      'rejected.csv',
      writeCsv(
        ['file', 'reason'],
        rejected.map(({ file, reason }) => [file, reason]),
      ),
    ],
  ]);
  if (mean) files.set('rgb_val.json', json(mean));
  return { files, dataset: json(datasetJson(summary, options, { mean, std })) };
}

function datasetJson(
  { pictures, labels, rejected }: DatasetSummary,
  { picture, valSplit, labelPattern, seed }: ResolvedOptions,
  { mean, std }: { mean: Rgb | null; std: Rgb | null },
): object {
  const val = pictures.filter(({ validation }) => validation).length;
  let minSide = Number.POSITIVE_INFINITY;
  let maxSide = 0;
  for (const { width, height } of pictures) {
    minSide = Math.min(minSide, width, height);
    maxSide = Math.max(maxSide, width, height);
  }
  return {
    version: datasetVersion,
    classes: labels.length,
    counts: { train: pictures.length - val, val, rejected: rejected.length },
    // on the scale 0 to 255, over the train pictures' pixels before JPEG encoding
    mean,
    std,
    size: picture.size,
    minSide,
    maxSide,
    options: {
      valSplit,
      centerCrop: picture.centerCrop,
      rgbMean: picture.statistics,
      labelPattern: labelPattern?.source ?? null,
      quality: picture.quality,
    },
    seed,
    resnode: resnodeVersion,
  };
}
