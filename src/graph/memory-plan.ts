/** A region of the arena: its size in bytes and the steps, first and last, at which it must hold its content. */
export interface Region {
  readonly size: number;
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  /** Byte offset of each region. */
  readonly offsets: readonly number[];
  /** Bytes of the whole arena. */
  readonly size: number;
  /** The most bytes that are alive at one step: no plan can do with less. */
  readonly lowerBound: number;
}

const defaultAlignment = 4096;

/**
 * Gives every region an offset in one arena such that no two that live at the same time overlap.
 * Tries a few orders of greedy best-fit placement (Pisarchyk & Lee 2020, "greedy by size" and "by breadth")
 * and keeps the smallest result; the same input always gives the same plan.
 */
export function planMemory(regions: readonly Region[], alignment = defaultAlignment): MemoryPlan {
  const sizes = regions.map((region) => Math.ceil(region.size / alignment) * alignment);
  const lowerBound = liveBound(regions, sizes);
  const length = (index: number): number => (regions[index]?.last ?? 0) - (regions[index]?.first ?? 0);
  const size = (index: number): number => sizes[index] ?? 0;
  const first = (index: number): number => regions[index]?.first ?? 0;
  const orders: Array<(a: number, b: number) => number> = [
    (a, b) => size(b) - size(a) || first(a) - first(b),
    (a, b) => length(b) - length(a) || size(b) - size(a),
    (a, b) => size(b) * length(b) - size(a) * length(a) || first(a) - first(b),
    (a, b) => first(a) - first(b) || size(b) - size(a),
  ];
  let best: MemoryPlan | undefined;
  for (const order of orders) {
    const plan = place(regions, sizes, [...regions.keys()].sort(order));
    if (!best || plan.size < best.size) best = { ...plan, lowerBound };
    if (best.size === lowerBound) break;
  }
  return best ?? { offsets: [], size: 0, lowerBound };
}

function place(
  regions: readonly Region[],
  sizes: readonly number[],
  order: readonly number[],
): { offsets: number[]; size: number } {
  const offsets = new Array<number>(regions.length).fill(0);
  const placed: number[] = [];
  let peak = 0;
  for (const index of order) {
    const region = regions[index] as Region;
    const need = sizes[index] ?? 0;
    const neighbours = placed
      .filter((other) => overlapInTime(region, regions[other] as Region))
      .sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
    let end = 0;
    let bestOffset = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    for (const other of neighbours) {
      const start = offsets[other] ?? 0;
      const gap = start - end;
      if (gap >= need && gap < bestGap) {
        bestOffset = end;
        bestGap = gap;
      }
      end = Math.max(end, start + (sizes[other] ?? 0));
    }
    offsets[index] = bestOffset >= 0 ? bestOffset : end;
    peak = Math.max(peak, (offsets[index] ?? 0) + need);
    placed.push(index);
  }
  return { offsets, size: peak };
}

function overlapInTime(a: Region, b: Region): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function liveBound(regions: readonly Region[], sizes: readonly number[]): number {
  const changes = new Map<number, number>();
  regions.forEach((region, index) => {
    const size = sizes[index] ?? 0;
    changes.set(region.first, (changes.get(region.first) ?? 0) + size);
    changes.set(region.last + 1, (changes.get(region.last + 1) ?? 0) - size);
  });
  let alive = 0;
  let bound = 0;
  for (const step of [...changes.keys()].sort((a, b) => a - b)) {
    alive += changes.get(step) ?? 0;
    bound = Math.max(bound, alive);
  }
  return bound;
}
