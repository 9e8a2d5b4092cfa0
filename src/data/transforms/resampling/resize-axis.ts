/**
 * Along one axis: which pixels of the source make each one of the target, and by what weights. The arrays are
 * used again and grow as needed.
 */
export class ResizeAxis {
  /** Pixels that make one. */
  readonly taps: number;
  /** The pixel with index i takes the source's `indices[i * taps + k]`, 0 <= k < taps, never beyond its edges. */
  indices = new Int32Array(0);
  weights = new Float64Array(0);
  readonly #place: Place;

  constructor(taps: number, place: Place) {
    this.taps = taps;
    this.#place = place;
  }

  /**
   * Plans the target's pixels from `from` on.
   * @param unit what one step along the source is in the indices, such as bytes
   */
  plan(options: { source: number; target: number; from: number; count: number; unit: number }): void {
    const { source, target, from, count, unit } = options;
    const { taps } = this;
    if (this.indices.length < count * taps) {
      this.indices = new Int32Array(2 * count * taps);
      this.weights = new Float64Array(2 * count * taps);
    }
    const { indices, weights } = this;
    for (let each = 0; each < count; each++) {
      const at = each * taps;
      const first = this.#place(from + each, source, target, weights, at);
      for (let tap = 0; tap < taps; tap++) {
        indices[at + tap] = unit * Math.max(0, Math.min(source - 1, first + tap));
      }
    }
  }
}

/**
 * Where the pixel `index` of `target` ones lies among `source` ones: writes the weights of its neighbours from
 * `at` on. @returns the first neighbour, which may lie beyond the edge
 */
export type Place = (
  index: number,
  source: number,
  target: number,
  weights: Float64Array,
  at: number,
) => number;
