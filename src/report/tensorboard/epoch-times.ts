import type { EpochResult } from '../../train/checkpoint.js';

/** When epochs ended, in seconds since 1970. */
export class EpochTimes {
  readonly #known = new Map<number, number>();

  /** Notes that an epoch ends now. */
  note(epoch: number): void {
    this.#known.set(epoch, Date.now() / 1000);
  }

  /** For epochs of an earlier process: counted back from the next one by what the epochs took. */
  of(history: readonly EpochResult[]): (epoch: number) => number {
    const times = new Map<number, number>();
    let next = Date.now() / 1000;
    for (const { epoch, seconds } of history.toReversed()) {
      const time = this.#known.get(epoch) ?? next;
      times.set(epoch, time);
      next = time - seconds;
    }
    return (epoch) => times.get(epoch) ?? next;
  }
}
