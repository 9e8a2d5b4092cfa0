import type { SampleReader } from '../data/loader/sample-reader.js';
import type { Sample } from '../data/sample.js';
import { Picture, PictureRejection } from '../data/transforms/picture.js';
import { PlanarWriter } from '../data/transforms/planar-writer.js';
import type { Normalization, TransformSpec } from '../data/transforms/transform.js';
import { UserError } from '../errors.js';
import type { RandomStream } from '../random/random-stream.js';
import { compileSteps } from './transform-steps.js';

/** What a stage costs. */
export interface StageTime {
  /** `decode`, the name of a transform, or `normalize`. */
  readonly name: string;
  /** Milliseconds of one picture, on the average of all, whether it was applied or not. */
  readonly perPicture: number;
  /** Milliseconds of a picture that it was applied to; undefined when there was none. */
  readonly perUse: number | undefined;
  /** Share of the pictures that it was applied to. */
  readonly share: number;
}

interface TimesOptions {
  readonly reader: SampleReader;
  /** Samples, and their numbers. */
  readonly samples: ReadonlyArray<{ readonly sample: Sample; readonly index: number }>;
  readonly specs: readonly TransformSpec[];
  readonly normalization: Normalization;
  readonly random: RandomStream;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Pictures that run before the clock counts, so that the code is compiled and the files are in memory. */
const warmUp = 60;

/**
 * Runs pictures through the stages one after the other, in this thread, and times each.
 * @throws UserError when none of the pictures can be used
 */
export function timeTransforms(options: TimesOptions): StageTime[] {
  const { samples, normalization, reader } = options;
  const steps = compileSteps(options.specs);
  const clock = new StageClock(['decode', ...steps.map(({ name }) => name), 'normalize']);
  const picture = new Picture({ fast: true });
  const writer = new PlanarWriter(normalization);
  let floats = new Float32Array(0);
  const run = ({ sample, index }: TimesOptions['samples'][number], epoch: number): void => {
    options.random.seek(epoch, index);
    clock.start();
    reader.read(sample, picture);
    clock.lap(0, true);
    steps.forEach(({ transform }, at) => {
      const { p } = transform;
      const applied = p >= 1 || (p > 0 && options.random.uniform() < p);
      if (applied) transform.apply(picture, options.random);
      clock.lap(at + 1, applied);
    });
    const length = 3 * picture.width * picture.height;
    if (floats.length < length) floats = new Float32Array(length);
    clock.start();
    writer.write(picture, floats, 0);
    clock.lap(steps.length + 1, true);
    clock.finish();
  };
  for (let done = 0; done < warmUp; ) {
    for (const sample of samples.slice(0, warmUp - done)) tolerant(() => run(sample, done++));
  }
  clock.reset();
  samples.forEach((sample, at) => {
    tolerant(() => run(sample, at));
    options.onProgress?.(at + 1, samples.length);
  });
  if (clock.pictures === 0) throw new UserError('the transforms take none of the pictures');
  return clock.times();
}

/** A picture that cannot be used is left out of the figures. */
function tolerant(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PictureRejection)) throw error;
  }
}

/** Adds up the times of stages; those of a picture count once it is finished. */
class StageClock {
  readonly #names: readonly string[];
  readonly #totals: Float64Array;
  readonly #uses: Float64Array;
  readonly #current: Float64Array;
  readonly #used: Uint8Array;
  /** Pictures that were finished. */
  pictures = 0;
  #since = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#totals = new Float64Array(names.length);
    this.#uses = new Float64Array(names.length);
    this.#current = new Float64Array(names.length);
    this.#used = new Uint8Array(names.length);
  }

  start(): void {
    this.#since = performance.now();
  }

  lap(stage: number, used: boolean): void {
    const now = performance.now();
    this.#current[stage] = now - this.#since;
    this.#used[stage] = used ? 1 : 0;
    this.#since = now;
  }

  finish(): void {
    this.pictures++;
    this.#names.forEach((_, stage) => {
      if (!this.#used[stage]) return;
      (this.#uses[stage] as number)++;
      (this.#totals[stage] as number) += this.#current[stage] as number;
    });
  }

  reset(): void {
    this.pictures = 0;
    this.#totals.fill(0);
    this.#uses.fill(0);
  }

  times(): StageTime[] {
    const { pictures } = this;
    return this.#names.map((name, stage) => {
      const total = this.#totals[stage] as number;
      const uses = this.#uses[stage] as number;
      return {
        name,
        perPicture: total / pictures,
        perUse: uses > 0 ? total / uses : undefined,
        share: uses / pictures,
      };
    });
  }
}
