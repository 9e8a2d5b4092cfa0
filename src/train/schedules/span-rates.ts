/** What the engine needs for the batches that come next: one number for all, or one for each. */
export interface SpanRates {
  readonly learningRate: number | Float64Array;
  /** In place of the optimizer's own; absent, or NaN in an array, where that holds. */
  readonly momentum?: number | Float64Array;
}

/** The number for the batch with this index. */
export function valueAt(values: number | Float64Array, index: number): number {
  return typeof values === 'number' ? values : (values[index] ?? Number.NaN);
}
