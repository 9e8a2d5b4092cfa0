import type { HostArray, Program } from '../engines/engine.js';
import type { Graph } from '../graph/graph.js';
import { philoxKey } from '../random/philox.js';
import type { GradientPath } from './gradient-path.js';
import { addBatch, addNorm, type Sums } from './metrics.js';
import { type Batch, microBatches } from './micro-batches.js';
import type { Optimizer } from './optimizers/index.js';
import type { Moment } from './optimizers/optimizer.js';
import { firstScale, type ScalerState, scalerAfter } from './precision/loss-scaler.js';

export interface TrainingStepOptions extends GradientPath {
  readonly program: Program;
  /** What the program was compiled from. */
  readonly graph: Graph;
  readonly optimizer: Optimizer;
  readonly classes: number;
  /** Seed of the dropout. */
  readonly seed: number;
}

/** Where a run is, for one step. */
export interface StepMoment extends Omit<Moment, 'update'> {
  /** Number of the step within the whole run, from 1. */
  readonly step: number;
  readonly sums: Sums;
  readonly scaler: ScalerState | undefined;
}

export interface StepResult {
  readonly sums: Sums;
  readonly scaler: ScalerState | undefined;
}

/** One step of training: the batch in its micro-batches, and the update. */
export class TrainingStep {
  readonly #options: TrainingStepOptions;
  readonly #names: readonly string[];
  readonly #seed: Int32Array;

  constructor(options: TrainingStepOptions) {
    this.#options = options;
    this.#names = options.graph.values('input').map(({ name }) => name);
    this.#seed = Int32Array.from(philoxKey(options.seed));
  }

  /** @returns undefined for a loss that is NaN or infinite, without a scale that might be why */
  run(batch: Batch, moment: StepMoment): StepResult | undefined {
    const { program, optimizer, classes, accumulate = 1, replicas = 1, scaled = false } = this.#options;
    const scaler = scaled ? (moment.scaler ?? firstScale) : moment.scaler;
    const scale = scaled && scaler ? scaler.scale : 1;
    const parts = microBatches(batch, { parts: accumulate, all: replicas > 1 });
    // an optimizer counts the steps that it took
    const update = moment.step - (moment.scaler?.skipped ?? 0);
    const scalars = { ...optimizer.scalars({ ...moment, update }), ...this.#limits(), lossScale: scale };
    let { sums } = moment;
    for (const [index, { images, labels, share }] of parts.entries()) {
      const numbers = { ...scalars, keep: index > 0 ? 1 : 0, lossWeight: share * scale };
      // each part draws its own dropout
      const step = Int32Array.of((moment.step - 1) * accumulate + index + 1);
      program.run(this.#inputs({ image: images, labels, seed: this.#seed, step }, numbers), {
        update: index === parts.length - 1,
      });
      const loss = program.read('loss')[0] ?? Number.NaN;
      sums = addBatch(sums, { logits: program.read('logits'), labels, classes, loss });
    }
    // asked at the end: other replicas wait for this one's gradients
    const finite = Number.isFinite(sums.loss);
    if (!scaled || !scaler) return finite ? { sums: this.#withNorm(sums), scaler } : undefined;
    const found = program.read('foundInfinite')[0] !== 0;
    const after = scalerAfter(scaler, found);
    if (found) return { sums: moment.sums, scaler: after };
    return finite ? { sums: this.#withNorm(sums), scaler: after } : undefined;
  }

  #withNorm(sums: Sums): Sums {
    if (this.#options.clipNorm === undefined) return sums;
    return addNorm(sums, this.#options.program.read('gradientNorm')[0] ?? Number.NaN);
  }

  #limits(): Record<string, number> {
    const { clipNorm, clipValue } = this.#options;
    return {
      ...(clipNorm === undefined ? {} : { clipNorm }),
      ...(clipValue === undefined ? {} : { clipValue }),
    };
  }

  /** What the graph takes, and nothing else. */
  #inputs(arrays: Record<string, HostArray>, numbers: Record<string, number>): Record<string, HostArray> {
    return Object.fromEntries(
      this.#names.map((name) => {
        const number = numbers[name];
        const array = arrays[name] ?? (number === undefined ? undefined : Float32Array.of(number));
        if (!array) throw new Error(`nothing to put into the graph's input '${name}'`);
        return [name, array];
      }),
    );
  }
}
