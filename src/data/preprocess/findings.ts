import { crc32 } from 'node:zlib';
import type { DatasetSummary } from './dataset-files.js';
import type { WrittenPicture } from './journal.js';
import type { KeptPictures } from './pack-shards.js';

/** What preprocessing itself shows of the pictures; `resnode audit` finds more. */
export interface Findings {
  readonly duplicates: {
    /** Pictures that are there more than once, the same pixel for pixel once prepared: a group each. */
    readonly groups: number;
    /** Pictures in these groups. */
    readonly pictures: number;
    /** Groups with more than one label. */
    readonly clashes: number;
    /** Groups in train and in val. */
    readonly leaks: number;
  };
  /** Classes with the most and the fewest pictures. */
  readonly largest: ClassSize;
  readonly smallest: ClassSize;
  /** Pictures of the largest class for each one of the smallest. */
  readonly imbalance: number;
  /** Share of pictures without any colour, 0 to 1; null where no statistics were computed. */
  readonly greyShare: number | null;
}

export interface ClassSize {
  readonly label: string;
  readonly pictures: number;
}

/** From here on something is worth a line. */
const worthALine = { imbalance: 10, greyShare: 0.02 };

/** What is noted of each picture on the way: 4 bytes, beside what the journal says of its JPEG. */
export class PictureNotes {
  readonly #prints: Uint32Array;
  readonly #counted = { pictures: 0, grey: 0 };

  /** @param length pictures of the run */
  constructor(length: number) {
    this.#prints = new Uint32Array(length);
  }

  add({ index, width, height, sums }: WrittenPicture): void {
    // with length and checksum of the JPEG this tells a million pictures apart
    this.#prints[index] = crc32(`${width} ${height} ${sums?.join(' ')}`);
    if (!sums) return;
    this.#counted.pictures++;
    if (isGrey(sums)) this.#counted.grey++;
  }

  /** Share of pictures without any colour; null where no sums were counted. */
  get greyShare(): number | null {
    const { pictures, grey } = this.#counted;
    return pictures === 0 ? null : grey / pictures;
  }

  /**
   * The indices of pictures that are the same, group by group.
   * @param indices of the pictures to look at
   */
  duplicates(indices: Iterable<number>, kept: Pick<KeptPictures, 'lengths' | 'crcs'>): number[][] {
    const keyOf = (index: number): number =>
      (kept.crcs[index] as number) * 2 ** 20 + ((kept.lengths[index] as number) & 0xfffff);
    const all = [...indices];
    // only few share a key, so sorted numbers find them with less memory than a map of all
    const sorted = Float64Array.from(all, keyOf).sort();
    const shared = new Set(sorted.filter((key, at) => key === sorted[at - 1]));
    const groups = new Map<string, number[]>();
    for (const index of shared.size > 0 ? all : []) {
      const key = keyOf(index);
      if (!shared.has(key)) continue;
      const whole = `${key} ${kept.lengths[index]} ${this.#prints[index]}`;
      const group = groups.get(whole);
      if (group) group.push(index);
      else groups.set(whole, [index]);
    }
    return [...groups.values()].filter((group) => group.length > 1);
  }
}

/** Whether red, green and blue have the same sums, and squares: chance does not make them equal. */
function isGrey([r, g, b, rr, gg, bb]: readonly number[]): boolean {
  return r === g && g === b && rr === gg && gg === bb;
}

/** Counts up what is to be said of a dataset. */
export function findingsOf(
  { table, ordered, classes, idOf }: Pick<DatasetSummary, 'table' | 'ordered' | 'classes' | 'idOf'>,
  notes: PictureNotes,
  kept: KeptPictures,
): Findings {
  const label = (index: number): number => idOf[table.classes[index] as number] as number;
  const sizes = new Array<number>(classes.length).fill(0);
  for (const indices of [ordered.train, ordered.val]) {
    for (const index of indices) (sizes[label(index)] as number)++;
  }
  const groups = notes.duplicates(both(ordered), kept);
  const several = (of: (index: number) => unknown): number =>
    groups.filter((group) => new Set(group.map(of)).size > 1).length;
  const sized = classes.map(({ name }, id): ClassSize => ({ label: name, pictures: sizes[id] as number }));
  const [largest, smallest] = [
    sized.reduce((most, each) => (each.pictures > most.pictures ? each : most)),
    sized.reduce((least, each) => (each.pictures < least.pictures ? each : least)),
  ];
  return {
    duplicates: {
      groups: groups.length,
      pictures: groups.reduce((sum, group) => sum + group.length, 0),
      clashes: several(label),
      leaks: several((index) => table.validation[index]),
    },
    ...{ largest, smallest, imbalance: largest.pictures / smallest.pictures, greyShare: notes.greyShare },
  };
}

function* both({ train, val }: DatasetSummary['ordered']): Generator<number> {
  yield* train;
  yield* val;
}

/** One line of what the user should look at; undefined when there is nothing to say. */
export function findingsLine({
  duplicates,
  largest,
  smallest,
  imbalance,
  greyShare,
}: Findings): string | undefined {
  const { groups, pictures, clashes, leaks } = duplicates;
  const where = [
    ...(clashes > 0 ? [`${count(clashes)} of them under different labels`] : []),
    ...(leaks > 0 ? [`${count(leaks)} in train and in val`] : []),
  ];
  const said = [
    ...(groups > 0
      ? [
          `${count(groups)} ${groups === 1 ? 'picture is' : 'pictures are'} there more than once (${[`${count(pictures)} files`, ...where].join(', ')})`,
        ]
      : []),
    ...(imbalance >= worthALine.imbalance
      ? [
          `${largest.label} has ${Math.round(imbalance)} times as many pictures as ${smallest.label} (${count(largest.pictures)}, ${count(smallest.pictures)})`,
        ]
      : []),
    ...(greyShare !== null && greyShare >= worthALine.greyShare
      ? [`${(100 * greyShare).toFixed(greyShare < 0.1 ? 1 : 0)} % of the pictures are grey`]
      : []),
  ];
  return said.length > 0 ? said.join('; ') : undefined;
}

const count = (value: number): string => value.toLocaleString('en-US');
