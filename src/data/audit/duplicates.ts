import { hasContrast, hashDistance, looksTheSame, mostDifferentBits } from './fingerprint.js';
import type { Inspection } from './inspect.js';

/** Pictures that are the same file, or show the same. */
export interface DuplicateGroup {
  readonly kind: 'exact' | 'near';
  readonly pictures: readonly Inspection[];
  /** Some are in train and some in val: what is validated has been learned. */
  readonly leak: boolean;
  /** The same picture under two labels. */
  readonly clash: boolean;
}

/** Groups the pictures that are the same, byte for byte or nearly, largest group first. */
export function findDuplicates(inspections: readonly Inspection[]): DuplicateGroup[] {
  const sets = new DisjointSets(inspections.length);
  for (const group of groupBy(inspections, ({ digest }) => digest)) {
    for (const index of group) sets.join(group[0] as number, index);
  }
  for (const [a, b] of nearPairs(inspections)) sets.join(a, b);
  return sets
    .groups()
    .map((group) => group.map((index) => inspections[index] as Inspection))
    .map(describe)
    .sort((a, b) => Number(b.leak) - Number(a.leak) || b.pictures.length - a.pictures.length);
}

function describe(pictures: readonly Inspection[]): DuplicateGroup {
  const splits = new Set(pictures.map(({ picture }) => picture.split));
  const labels = new Set(pictures.map(({ picture }) => picture.label));
  const digests = new Set(pictures.map(({ digest }) => digest));
  return {
    kind: digests.size === 1 ? 'exact' : 'near',
    pictures,
    leak: splits.has('train') && splits.has('val'),
    clash: labels.size > 1,
  };
}

/** Pairs within a few bits of one another: of four bands of the hash, one at least is the same in both. */
function* nearPairs(inspections: readonly Inspection[]): Generator<readonly [number, number]> {
  const usable = inspections.flatMap(({ thumbnail }, index) => (hasContrast(thumbnail) ? [index] : []));
  for (let band = 0; band < 4; band++) {
    const key = (index: number): number => (inspections[index] as Inspection).hash[band] as number;
    for (const group of groupBy(usable, key)) {
      const members = group.map((at) => usable[at] as number);
      for (const [position, a] of members.entries()) {
        for (const b of members.slice(position + 1)) {
          if (isNear(inspections[a] as Inspection, inspections[b] as Inspection)) yield [a, b];
        }
      }
    }
  }
}

function isNear(a: Inspection, b: Inspection): boolean {
  return hashDistance(a.hash, b.hash) <= mostDifferentBits && looksTheSame(a.thumbnail, b.thumbnail);
}

/** Positions of the items that share a key, where there are two or more. */
function groupBy<Item>(items: readonly Item[], key: (item: Item) => string | number): number[][] {
  const groups = new Map<string | number, number[]>();
  items.forEach((item, index) => {
    const at = key(item);
    const group = groups.get(at);
    if (group) group.push(index);
    else groups.set(at, [index]);
  });
  return [...groups.values()].filter(({ length }) => length > 1);
}

/** Union-find with path halving. */
class DisjointSets {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, index) => index);
  }

  join(a: number, b: number): void {
    this.#parent[this.#root(b)] = this.#root(a);
  }

  /** Members of each set of two or more. */
  groups(): number[][] {
    return groupBy([...this.#parent.keys()], (index) => this.#root(index));
  }

  #root(index: number): number {
    const parent = this.#parent;
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  }
}
