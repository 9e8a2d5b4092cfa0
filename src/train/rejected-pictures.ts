import { setImmediate as turn } from 'node:timers/promises';
import type { Loader, RejectedPicture } from '../data/loader/loader.js';
import type { TrainListener } from './events.js';
import type { World } from './world.js';

interface Options {
  readonly loader: Pick<Loader, 'on'>;
  readonly world: Pick<World, 'rank' | 'gather'> | undefined;
  readonly listener: TrainListener;
}

/** Pictures that could not be used, each told of once, by the first rank also those of the others. */
export class RejectedPictures {
  readonly #options: Options;
  readonly #known = new Map<string, RejectedPicture>();
  /** What the first rank does not know yet. */
  #unsaid: RejectedPicture[] = [];

  constructor(options: Options) {
    this.#options = options;
    options.loader.on('rejected', (picture) => {
      if (this.#enter(picture) && options.world && options.world.rank > 0) this.#unsaid.push(picture);
    });
  }

  get all(): readonly RejectedPicture[] {
    return [...this.#known.values()];
  }

  /** Tells the first rank; all ranks call it at the same point between two spans. */
  async share(): Promise<void> {
    // what the loader's threads have said by now comes in first
    await turn();
    const { world } = this.#options;
    if (!world) return;
    for (const picture of await world.gather(this.#unsaid.splice(0))) this.#enter(picture);
  }

  #enter(picture: RejectedPicture): boolean {
    const { file, reason } = picture;
    if (this.#known.has(file)) return false;
    this.#known.set(file, picture);
    this.#options.listener({ kind: 'rejected', file, reason });
    return true;
  }
}
