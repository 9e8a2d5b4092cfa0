import { resnodeVersion } from '../../version.js';
import { csvParts } from '../csv.js';
import type { ClassNaming } from './class-names.js';
import type { ResolvedOptions } from './options.js';
import type { OutputFolder } from './output-folder.js';
import type { PictureTable } from './picture-table.js';
import type { RejectedFile } from './scan.js';
import type { Rgb } from './statistics.js';

/** All that the files beside the pictures say. */
export interface DatasetSummary {
  readonly table: PictureTable;
  /** Indices of the pictures of each split in the order of their names. */
  readonly ordered: { readonly train: Uint32Array; readonly val: Uint32Array };
  /** Classes that are left, in the order of their ids. */
  readonly classes: readonly ClassNaming[];
  /** Class id of each label, -1 for a class without a good picture. */
  readonly idOf: Int32Array;
  readonly rejected: readonly RejectedFile[];
  readonly mean: Rgb | null;
  readonly std: Rgb | null;
  readonly minSide: number;
  readonly maxSide: number;
  /** Number of shards, for a dataset of them. */
  readonly shards: { readonly train: number; readonly val: number } | undefined;
}

/** Version of the dataset's layout, in dataset.json. */
const datasetVersion = 1;

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Writes the files beside the pictures; dataset.json, which makes the folder a dataset, comes last. */
export async function writeDatasetFiles(
  folder: OutputFolder,
  summary: DatasetSummary,
  options: ResolvedOptions,
): Promise<void> {
  const { ordered, classes, rejected, mean } = summary;
  await folder.write('train.csv', pictureTable(summary, ordered.train));
  await folder.write('val.csv', pictureTable(summary, ordered.val));
  await folder.write('categories.csv', csvParts(...categories(classes)));
  const reasons = rejected.map(({ file, reason }) => [file, reason]);
  await folder.write('rejected.csv', csvParts(['file', 'reason'], reasons));
  if (mean) await folder.write('rgb_val.json', json(mean));
  await folder.finish(json(datasetJson(summary, options)));
}

function pictureTable({ table, idOf }: DatasetSummary, indices: Uint32Array): Generator<string> {
  function* rows(): Generator<[string, number]> {
    for (const index of indices) {
      yield [`${table.name(index)}.jpg`, idOf[table.classes[index] as number] as number];
    }
  }
  return csvParts(['image', 'class'], rows());
}

/** The name that people read, and, where that is not the one of the folders, the folders' too. */
function categories(classes: readonly ClassNaming[]): [string[], Array<Array<string | number>>] {
  const renamed = classes.some(({ name, label }) => name !== label);
  return renamed
    ? [['id', 'label', 'folder'], classes.map(({ name, label }, id) => [id, name, label])]
    : [['id', 'label'], classes.map(({ name }, id) => [id, name])];
}

function datasetJson(summary: DatasetSummary, options: ResolvedOptions): object {
  const { ordered, classes, rejected, mean, std, minSide, maxSide, shards } = summary;
  const { picture, valSplit, valDir, labelPattern, seed, shardSize } = options;
  return {
    version: datasetVersion,
    // each picture in a file of its own, or many in a tar
    form: shards ? 'shards' : 'folders',
    ...(shards ? { shards: { ...shards, size: shardSize } } : {}),
    classes: classes.length,
    counts: { train: ordered.train.length, val: ordered.val.length, rejected: rejected.length },
    // on the scale 0 to 255, over the train pictures' pixels before JPEG encoding
    mean,
    std,
    size: picture.size,
    minSide,
    maxSide,
    options: {
      valSplit: valDir === undefined ? valSplit : null,
      centerCrop: picture.centerCrop,
      rgbMean: picture.statistics,
      labelPattern: labelPattern?.source ?? null,
      quality: picture.quality,
    },
    seed,
    resnode: resnodeVersion,
  };
}
