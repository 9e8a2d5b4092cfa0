import { elements } from '../../graph/graph.js';
import { EngineError, type HostArray, type Program, type RunOptions } from '../engine.js';
import type { Compiled } from './compiler.js';
import { bindDispatch } from './dispatch.js';
import { type Ending, findEndings, peakBytes } from './lifetimes.js';
import type { TorchState } from './state.js';
import { type HostInputs, makesOf, type Slot, type Step } from './step.js';
import type { Tensors } from './tensors.js';

interface Bound {
  readonly node: number;
  readonly updates: boolean;
  /** True: the run ends here. */
  run(inputs: HostInputs): boolean;
}

export interface ProgramParts {
  readonly tensors: Tensors;
  readonly state: TorchState;
  readonly compiled: Compiled;
  readonly poison: boolean;
}

/** A compiled graph as calls of the dispatcher that are made ready once. */
export class TorchProgram implements Program {
  readonly memory: { readonly arena: number; readonly lowerBound: number };
  readonly #parts: ProgramParts;
  readonly #prologue: readonly Bound[];
  readonly #steps: readonly Bound[];
  /** Everything made by a run, and by the prologue. */
  readonly #made: readonly Slot[];
  readonly #prepared: readonly Slot[];
  #preparedVersion = -1;
  #closed = false;

  constructor(parts: ProgramParts) {
    this.#parts = parts;
    const { prologue, steps, outputs } = parts.compiled;
    const kept = new Set([...outputs.values()].map(({ slot }) => slot));
    const endings = findEndings(steps, kept);
    const peak = peakBytes(steps, endings);
    this.memory = { arena: peak, lowerBound: peak };
    this.#made = [...new Set(steps.flatMap(makesOf))];
    this.#prepared = [...new Set(prologue.flatMap(makesOf))];
    this.#steps = steps.map((step, index) => this.#bind(step, endings[index] as Ending));
    // what it makes is kept, so that nothing ends
    this.#prologue = prologue.map((step) => this.#bind(step, { moved: new Set(), released: [] }));
  }

  run(inputs: Readonly<Record<string, HostArray>>, { update = true }: RunOptions = {}): void {
    if (this.#closed) throw new EngineError('the program is closed');
    const { state, compiled } = this.#parts;
    this.#check(inputs);
    this.#release(this.#made);
    try {
      this.#upload(inputs);
      this.#prepare(inputs);
      for (const step of this.#steps) {
        if ((!update && step.updates) || step.run(inputs)) break;
        compiled.between?.();
      }
    } catch (error) {
      this.#release(this.#made);
      throw error;
    }
    if (compiled.updatesState) state.version += 1;
  }

  read(output: string): Float32Array {
    const found = this.#parts.compiled.outputs.get(output);
    if (!found) {
      const known = [...this.#parts.compiled.outputs.keys()].join(', ');
      throw new EngineError(`the program has no output '${output}'; it has ${known}`);
    }
    const { value, slot } = found;
    if (slot.handle === 0) throw new EngineError(`the program has not run: there is no '${output}' yet`);
    const result = new Float32Array(elements(value));
    this.#parts.tensors.download(slot.handle, result, value.shape);
    return result;
  }

  /** Runs once and gives the milliseconds of each node, for the benchmark. */
  profile(inputs: Readonly<Record<string, HostArray>>): Array<{ name: string; ms: number }> {
    const { graph } = this.#parts.compiled;
    const times = new Map<number, number>();
    this.run(inputs);
    this.#release(this.#made);
    this.#upload(inputs);
    for (const step of this.#steps) {
      const start = performance.now();
      step.run(inputs);
      times.set(step.node, (times.get(step.node) ?? 0) + performance.now() - start);
    }
    return [...times].map(([node, ms]) => ({ name: graph.nodes[node]?.name ?? '', ms }));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { tensors, compiled } = this.#parts;
    this.#release(this.#made);
    this.#release(this.#prepared);
    for (const slot of compiled.owned) tensors.torch.release(slot.handle);
  }

  #check(inputs: HostInputs): void {
    for (const value of this.#parts.compiled.inputs) {
      const array = inputs[value.name];
      if (!array) throw new EngineError(`the program needs the input '${value.name}'`);
      if (array.length !== elements(value)) {
        throw new EngineError(
          `input '${value.name}' takes ${elements(value)} numbers (${value.shape.join('x')}), got ${array.length}`,
        );
      }
    }
  }

  #upload(inputs: HostInputs): void {
    const { tensors, compiled } = this.#parts;
    for (const { slot, shape, make } of compiled.uploads) tensors.upload(slot.handle, make(inputs), shape);
  }

  #prepare(inputs: HostInputs): void {
    const { state, compiled } = this.#parts;
    // while a program trains, its prologue holds nothing that depends on the parameters
    const stale = compiled.updatesState ? this.#preparedVersion < 0 : this.#preparedVersion !== state.version;
    if (!stale) return;
    this.#release(this.#prepared);
    for (const step of this.#prologue) step.run(inputs);
    this.#preparedVersion = state.version;
  }

  #release(slots: readonly Slot[]): void {
    const { torch } = this.#parts.tensors;
    for (const slot of slots) {
      if (slot.handle === 0) continue;
      torch.release(slot.handle);
      slot.handle = 0;
    }
  }

  #bind(step: Step, ending: Ending): Bound {
    const { poison, compiled } = this.#parts;
    const moved = poison ? new Set<Slot>() : ending.moved;
    const released = poison ? [...ending.moved, ...ending.released] : ending.released;
    const work = step.kind === 'dispatch' ? bindDispatch(this.#parts.tensors.torch, step, moved) : step.run;
    return {
      node: step.node,
      updates: step.node >= compiled.graph.updateStart,
      run: (inputs) => {
        try {
          work(inputs);
        } catch (error) {
          if (!(error instanceof EngineError)) throw error;
          throw new EngineError(`${compiled.describe(step.node)}: ${error.message}`, { cause: error });
        }
        if (poison) for (const slot of released) this.#poison(slot);
        const ends = step.kind === 'direct' && step.ends?.() === true;
        if (released.length) this.#release(released);
        return ends;
      },
    };
  }

  /** Fills a tensor's memory with NaN when its last handle is about to go, so that whoever still looks at it shows. */
  #poison(slot: Slot): void {
    const others = [...slot.storage.slots].filter((each) => each !== slot);
    if (slot.handle === 0 || others.some((each) => each.fixed || each.handle !== 0)) return;
    this.#parts.tensors.poison(slot.handle);
  }
}
