import type { Step } from './step.js';
import { tensorsOf } from './step.js';
import { type ArenaRegion, regionOf, type Tensor } from './tensor.js';

/** The steps of a program in the making, and the regions of the arena that they use. */
export class StepList {
  /** Steps that depend on parameters only: run again when these have changed. */
  readonly prologue: Step[] = [];
  readonly regions: ArenaRegion[] = [];
  readonly #steps: Array<Step | (() => Step[])> = [];
  readonly #constant = new Set<ArenaRegion>();
  readonly #updatesState: boolean;
  #updateMark = Number.POSITIVE_INFINITY;
  #updateStart = 0;

  /** @param options.updatesState whether the program changes parameters, so that none of its steps is constant */
  constructor(options: { updatesState: boolean }) {
    this.#updatesState = options.updatesState;
  }

  region(size: number): ArenaRegion {
    const region: ArenaRegion = { kind: 'arena', size, first: -1, last: -1, persistent: false, offset: 0 };
    this.regions.push(region);
    return region;
  }

  push(step: Step): void {
    if (!this.#isConstant(step)) {
      this.#steps.push(step);
      return;
    }
    this.prologue.push(step);
    for (const tensor of step.writes) {
      const region = regionOf(tensor);
      if (!region) continue;
      region.persistent = true;
      this.#constant.add(region);
    }
  }

  /** The steps pushed from here on belong to the update. */
  beginUpdate(): void {
    this.#updateMark = this.#steps.length;
  }

  /** Index of the first step of the update, once the list is finished. */
  get updateStart(): number {
    return this.#updateStart;
  }

  /** Steps that can only be made when the flat buffers have their final order. */
  pushLate(make: () => Step[]): void {
    this.#steps.push(make);
  }

  /** Whether a region is written by the prologue alone. */
  isConstant(region: ArenaRegion): boolean {
    return this.#constant.has(region);
  }

  /** All steps of a run; the regions then have their lifetimes. */
  finish(outputs: ReadonlyMap<string, Tensor>): Step[] {
    const made = this.#steps.map((step) => (typeof step === 'function' ? step() : [step]));
    this.#updateStart = made.slice(0, this.#updateMark).flat().length;
    const steps = made.flat();
    this.#measureLifetimes(steps, outputs);
    return steps;
  }

  /** Whether a step gives the same result in every run, as long as nobody writes the parameters. */
  #isConstant(step: Step): boolean {
    if (step.writes.some((tensor) => tensor.place.kind === 'flat')) return false;
    return step.reads.every((tensor) => {
      if (tensor.place.kind === 'flat') return !this.#updatesState;
      const region = regionOf(tensor);
      return region !== undefined && this.#constant.has(region);
    });
  }

  #measureLifetimes(steps: readonly Step[], outputs: ReadonlyMap<string, Tensor>): void {
    steps.forEach((step, index) => {
      for (const tensor of tensorsOf(step)) {
        const region = regionOf(tensor);
        if (!region) continue;
        region.first = region.first < 0 ? index : region.first;
        region.last = index;
      }
    });
    for (const tensor of outputs.values()) {
      const region = regionOf(tensor);
      if (region) region.last = steps.length;
    }
    for (const region of this.regions) {
      if (!region.persistent) continue;
      region.first = 0;
      region.last = steps.length;
    }
  }
}
