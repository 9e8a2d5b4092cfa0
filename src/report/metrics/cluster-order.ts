import type { ConfusionMatrix } from './confusion-matrix.js';

/** Classes of one branch in their order, and how alike it is to each other branch. */
interface Cluster {
  readonly order: readonly number[];
  readonly size: number;
}

/**
 * An order of the classes in which those that are confused stand side by side: average-linkage clustering by
 * the shares of pictures that classes take from each other, and each merge turned so that the ends that meet
 * are the most alike.
 */
export function clusterOrder(matrix: ConfusionMatrix): number[] {
  const n = matrix.classes;
  const alike = likeness(matrix);
  const links = Float64Array.from(alike);
  const clusters: (Cluster | undefined)[] = Array.from({ length: n }, (_, id) => ({ order: [id], size: 1 }));
  const chain: number[] = [];
  for (let left = n; left > 1; ) {
    if (chain.length === 0) chain.push(clusters.findIndex((each) => each !== undefined));
    const top = chain[chain.length - 1] as number;
    const nearest = nearestTo(top, { clusters, links, n, before: chain[chain.length - 2] });
    if (nearest !== chain[chain.length - 2]) {
      chain.push(nearest);
      continue;
    }
    // two that are each other's nearest
    chain.length -= 2;
    const [a, b] = [Math.min(top, nearest), Math.max(top, nearest)];
    merge(a, b, { clusters, links, alike, n });
    left--;
  }
  return [...(clusters.find((each) => each !== undefined)?.order ?? [])];
}

/** [n, n]: share of the pictures of either class that is taken for the other, mean of both directions. */
function likeness(matrix: ConfusionMatrix): Float64Array {
  const n = matrix.classes;
  const totals = new Float64Array(n);
  for (const { actual, count } of matrix.cells()) totals[actual]! += count;
  const alike = new Float64Array(n * n);
  for (const { actual, predicted, count } of matrix.cells()) {
    if (actual === predicted) continue;
    const share = count / (totals[actual] as number) / 2;
    alike[actual * n + predicted]! += share;
    alike[predicted * n + actual]! += share;
  }
  return alike;
}

interface Forest {
  readonly clusters: (Cluster | undefined)[];
  /** [n, n]: mean likeness between clusters. */
  readonly links: Float64Array;
  readonly n: number;
}

/** The cluster most alike; of equal ones `before`, so that a chain ends, then the first. */
function nearestTo(
  top: number,
  { clusters, links, n, before }: Forest & { before: number | undefined },
): number {
  let nearest = before ?? -1;
  for (let id = 0; id < n; id++) {
    if (id === top || !clusters[id]) continue;
    if (nearest < 0 || (links[top * n + id] as number) > (links[top * n + nearest] as number)) nearest = id;
  }
  return nearest;
}

/** Puts cluster `b` into `a`. */
function merge(a: number, b: number, { clusters, links, alike, n }: Forest & { alike: Float64Array }): void {
  const [first, second] = [clusters[a] as Cluster, clusters[b] as Cluster];
  const size = first.size + second.size;
  for (let id = 0; id < n; id++) {
    const mean =
      (first.size * (links[a * n + id] as number) + second.size * (links[b * n + id] as number)) / size;
    links[a * n + id] = mean;
    links[id * n + a] = mean;
  }
  clusters[a] = { order: join(first.order, second.order, (x, y) => alike[x * n + y] as number), size };
  clusters[b] = undefined;
}

/** One behind the other, each the way round that brings the most alike ends together. */
function join(
  first: readonly number[],
  second: readonly number[],
  alike: (x: number, y: number) => number,
): number[] {
  const ways = [
    [first, second],
    [first, second.toReversed()],
    [first.toReversed(), second],
    [first.toReversed(), second.toReversed()],
  ] as const;
  const likenessOf = ([x, y]: readonly [readonly number[], readonly number[]]): number =>
    alike(x[x.length - 1] as number, y[0] as number);
  const best = ways.reduce((a, b) => (likenessOf(b) > likenessOf(a) ? b : a));
  return best.flat();
}
