/** Keys's cubic with the parameter that OpenCV has. */
const a = -0.75;

/** Writes the weights of the four neighbours of a place that lies `t`, 0 to 1, behind the second. */
export function setCubicWeights(t: number, weights: Float64Array, at: number): void {
  const before = t + 1;
  const rest = 1 - t;
  const w0 = ((a * before - 5 * a) * before + 8 * a) * before - 4 * a;
  const w1 = ((a + 2) * t - (a + 3)) * t * t + 1;
  const w2 = ((a + 2) * rest - (a + 3)) * rest * rest + 1;
  weights[at] = w0;
  weights[at + 1] = w1;
  weights[at + 2] = w2;
  weights[at + 3] = 1 - w0 - w1 - w2;
}
