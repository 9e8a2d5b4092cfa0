import { availableParallelism } from 'node:os';
import type { Loader } from '../data/loader/loader.js';
import type { TrainEvent, TrainStep } from './events.js';

/** Steps that are timed, after the first ones, in which the engine warms up. */
const timedSteps = 4;
/** Pictures do not all take as long as the mean one. */
const headroom = 1.2;

export interface LoaderThreadsOptions {
  readonly loader: Pick<Loader, 'effort' | 'grow'>;
  /** Pictures of a step that this process loads. */
  readonly pictures: number;
  /** Most threads. */
  readonly limit: number;
  readonly say: (text: string) => void;
}

/**
 * Chooses how many threads load pictures. A training starts with one; after its first steps, when the times of a
 * picture and of a step are known, others join it, once.
 */
export class LoaderThreads {
  readonly #options: LoaderThreadsOptions;
  #last: TrainStep | undefined;
  #steps = 0;
  /** Seconds of these steps without the waiting. */
  #seconds = 0;
  #chosen = false;

  constructor(options: LoaderThreadsOptions) {
    this.#options = options;
  }

  /** To be told every event of the training. */
  listen(event: TrainEvent): void {
    if (this.#chosen || event.kind !== 'step' || event.phase !== 'train') return;
    const last = this.#last;
    this.#last = event;
    if (last?.epoch !== event.epoch) return;
    this.#steps += event.timed - last.timed;
    this.#seconds += busySeconds(event) - busySeconds(last);
    if (this.#steps >= timedSteps) this.#choose((1000 * this.#seconds) / this.#steps);
  }

  #choose(stepMs: number): void {
    const { loader, pictures, limit, say } = this.#options;
    const { effort } = loader;
    if (effort.pictures === 0) return;
    this.#chosen = true;
    const pictureMs = effort.milliseconds / effort.pictures;
    const threads = threadsFor({ pictureMs, stepMs, pictures, limit });
    loader.grow(threads);
    const found = `${milliseconds(pictureMs)} a picture, ${milliseconds(stepMs)} a step of ${pictures} pictures`;
    say(`loader threads: ${threads} of at most ${limit} (${found})`);
  }
}

/** Threads that make the pictures of a step in the time of a step. */
export function threadsFor(times: {
  pictureMs: number;
  stepMs: number;
  pictures: number;
  limit: number;
}): number {
  const { pictureMs, stepMs, pictures, limit } = times;
  const wanted = Math.ceil((headroom * pictureMs * pictures) / stepMs);
  // a step of no time at all wants whatever there is
  return Number.isFinite(wanted) ? Math.min(limit, Math.max(1, wanted)) : limit;
}

/** Most loader threads of one of `processes` on this machine: its share of the cores. */
export function mostLoaderThreads(processes = 1): number {
  return Math.min(256, Math.max(1, Math.floor(availableParallelism() / processes)));
}

function busySeconds({ seconds, waited = 0 }: TrainStep): number {
  return seconds * (1 - waited);
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
