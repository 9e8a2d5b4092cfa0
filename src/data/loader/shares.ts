/** Rows of a batch, from `first` on. */
export interface Rows {
  readonly first: number;
  readonly count: number;
}

/** One of several who share each batch. */
export interface Share {
  /** 0 to `of` - 1. */
  readonly index: number;
  readonly of: number;
}

export const all: Share = { index: 0, of: 1 };

/**
 * The rows of a batch of `total` that belong to a share: as equal as can be, in the order of the shares. Those of a
 * group of neighbouring shares are the rows of the group as one share of fewer.
 */
export function rowsOf(total: number, { index, of }: Share): Rows {
  const first = Math.floor((total * index) / of);
  return { first, count: Math.floor((total * (index + 1)) / of) - first };
}
