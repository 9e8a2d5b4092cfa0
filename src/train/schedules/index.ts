import { ruleFor, type ScheduleSpec } from './resolve.js';
import type { Rule, SavedSchedule } from './rule.js';
import type { SpanRates } from './span-rates.js';

export { parseSchedule } from './parse.js';
export { scheduleNames } from './registry.js';
export { resolveSchedule, type ScheduleSpec } from './resolve.js';
export { type SavedSchedule, savedSchedule } from './rule.js';
export { type SpanRates, valueAt } from './span-rates.js';

export interface ScheduleOptions {
  readonly baseRate: number;
  /** Batches in an epoch. Default 1. */
  readonly stepsPerEpoch?: number;
  /** Where an earlier run stopped. */
  readonly saved?: SavedSchedule | undefined;
  /** Epochs done, and batches of the next: where to begin when nothing is saved, or another schedule's state. */
  readonly done?: { readonly epochs: number; readonly steps: number };
}

/** The learning rate from batch to batch and from epoch to epoch. */
export class Schedule {
  readonly #rule: Rule;
  #at: SavedSchedule;

  /** @param spec as {@link resolveSchedule} gives it */
  constructor(spec: ScheduleSpec, options: ScheduleOptions) {
    const { baseRate, stepsPerEpoch = 1, saved, done = { epochs: 0, steps: 0 } } = options;
    this.#rule = ruleFor(spec, { baseRate, stepsPerEpoch });
    this.#at = (saved && this.#rule.adopt(saved)) ?? startAfter(this.#rule, done, stepsPerEpoch);
  }

  /** Whether the rate may change within an epoch. */
  get perStep(): boolean {
    return this.#rule.perStep;
  }

  /** Learning rate of the batch that comes next. */
  get learningRate(): number {
    return this.#rule.rate(this.#at);
  }

  /** Momentum of the batch that comes next; undefined where the optimizer's own holds. */
  get momentum(): number | undefined {
    return this.#rule.momentum(this.#at);
  }

  /** For the next `batches`, which must not reach beyond the epoch; {@link advance} moves on. */
  span(batches: number): SpanRates {
    const { learningRate, momentum } = this;
    if (!this.perStep) return { learningRate, ...(momentum === undefined ? {} : { momentum }) };
    const learningRates = new Float64Array(batches);
    const momenta = new Float64Array(batches);
    let at = this.#at;
    for (let batch = 0; batch < batches; batch++) {
      learningRates[batch] = this.#rule.rate(at);
      momenta[batch] = this.#rule.momentum(at) ?? Number.NaN;
      at = this.#rule.step(at);
    }
    const cycles = momenta.some((each) => !Number.isNaN(each));
    return { learningRate: learningRates, ...(cycles ? { momentum: momenta } : {}) };
  }

  /** To be called after so many batches, before {@link endEpoch}. */
  advance(batches: number): void {
    if (!this.perStep) return;
    for (let batch = 0; batch < batches; batch++) this.#at = this.#rule.step(this.#at);
  }

  /** To be called after each epoch. @param metric validation accuracy in percent */
  endEpoch(metric: number): void {
    this.#at = this.#rule.epoch(this.#at, metric);
  }

  /** Goes on with another base rate from here. */
  rebase(): void {
    this.#at = this.#rule.rebase(this.#at);
  }

  /** Plain JSON, for the checkpoint. */
  save(): SavedSchedule {
    return structuredClone(this.#at);
  }
}

/** As if the schedule had run so far; what looks at a metric is at its start. */
function startAfter(
  rule: Rule,
  done: { epochs: number; steps: number },
  stepsPerEpoch: number,
): SavedSchedule {
  let at = rule.start();
  const advance = (steps: number): void => {
    for (let step = 0; rule.perStep && step < steps; step++) at = rule.step(at);
  };
  for (let epoch = 0; epoch < done.epochs; epoch++) {
    advance(stepsPerEpoch);
    at = rule.epoch(at, undefined);
  }
  advance(done.steps);
  return at;
}
