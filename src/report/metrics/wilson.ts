/** Normal quantile of a two-sided 95 % interval. */
const z95 = 1.959963984540054;

/**
 * Wilson's score interval for a share: where it lies with 95 % confidence, seen `successes` times in `total`.
 * It stays within 0 and 1, and holds for small counts and for shares near the ends.
 * @returns null when nothing was seen
 */
export function wilsonInterval(
  successes: number,
  total: number,
): { readonly low: number; readonly high: number } | null {
  if (total === 0) return null;
  const share = successes / total;
  const square = (z95 * z95) / total;
  const middle = (share + square / 2) / (1 + square);
  const half = (z95 / (1 + square)) * Math.sqrt((share * (1 - share)) / total + square / (4 * total));
  // rounding must not put the bounds beyond what was seen
  return { low: successes === 0 ? 0 : middle - half, high: successes === total ? 1 : middle + half };
}
