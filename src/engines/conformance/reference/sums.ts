/** A tensor that is added up term by term, in double precision. */
export class Sums {
  readonly values: Float64Array;
  /** The sum of the terms' magnitudes: what rounding errors are relative to. */
  readonly sizes: Float64Array;

  constructor(readonly shape: readonly number[]) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    this.values = new Float64Array(count);
    this.sizes = new Float64Array(count);
  }

  /** @param size of what the term was made of, where that is larger */
  add(index: number, term: number, size = Math.abs(term)): void {
    this.values[index] = at(this.values, index) + term;
    this.sizes[index] = at(this.sizes, index) + size;
  }
}

/** What a reference makes of its inputs, by role. */
export type Expected = ReadonlyMap<string, Sums>;

/** The inputs of a reference, by role. */
export type Given = (role: string) => { readonly shape: readonly number[]; readonly data: ArrayLike<number> };

export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN;
}
