/** A part of a row: columns from `first` to before `last`. */
export interface Span {
  first: number;
  last: number;
}

/**
 * Shrinks the span to the columns x for which `low <= start + slope * x <= high`. The bounds hold for the
 * rounded sums, too: a column at the very edge may be left out, none that lies beyond is kept.
 */
export function narrow(span: Span, start: number, slope: number, low: number, high: number): void {
  let { first, last } = span;
  if (slope !== 0) {
    const a = (low - start) / slope;
    const b = (high - start) / slope;
    first = Math.max(first, Math.ceil(Math.min(a, b)));
    last = Math.min(last, Math.floor(Math.max(a, b)) + 1);
  }
  const within = (x: number): boolean => start + slope * x >= low && start + slope * x <= high;
  // the sum grows or falls along the row, so that its ends speak for all; NaN is not within
  while (first < last && !within(first)) first++;
  while (first < last && !within(last - 1)) last--;
  span.first = first;
  span.last = Math.max(first, last);
}
