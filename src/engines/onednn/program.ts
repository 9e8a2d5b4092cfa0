import { elements } from '../../graph/graph.js';
import { planMemory } from '../../graph/memory-plan.js';
import { EngineError, type HostArray, type Program, type RunOptions } from '../engine.js';
import type { Compiled } from './compiler.js';
import { check, create, type Descriptor } from './descriptor.js';
import type { Handle } from './ffi.js';
import { addressOf, NativeMemory } from './native-memory.js';
import { argumentList, type Runtime } from './runtime.js';
import type { OneDnnState } from './state.js';
import type { HostViews, Step } from './step.js';
import { type ArenaRegion, addressIn, hostPlace, type Tensor } from './tensor.js';

/** Cache line; each region also starts on a boundary that vector loads like. */
const regionAlignment = 4096;

interface Bound {
  readonly name: string;
  /** True: the run ends here. */
  run(): boolean | undefined;
}

/** The memory objects of an input that is read where the host keeps it. */
interface BoundInput {
  readonly memories: Handle[];
  last: Handle;
}

export interface ProgramParts {
  readonly runtime: Runtime;
  readonly state: OneDnnState;
  /** Its descriptors are closed with the program. */
  readonly compiled: Compiled;
  readonly poison: boolean;
}

/** A compiled graph with its arena, primitives and argument lists, all made once. */
export class OneDnnProgram implements Program {
  readonly memory: { readonly arena: number; readonly lowerBound: number };
  readonly #parts: ProgramParts;
  readonly #arena: NativeMemory;
  readonly #prologue: readonly Bound[];
  readonly #steps: readonly Bound[];
  readonly #memories = new Map<string, Handle>();
  readonly #inputs = new Map<string, BoundInput>();
  readonly #plain = new Map<string, Descriptor>();
  readonly #ending: ReadonlyArray<readonly ArenaRegion[]>;
  // biome-ignore lint/correctness/noUnusedPrivateClassMembers: keeps what the native side points at alive
  #held: readonly HostArray[] = [];
  #preparedVersion = -1;
  #closed = false;

  constructor(parts: ProgramParts) {
    this.#parts = parts;
    const { compiled } = parts;
    const used = compiled.regions.filter((region) => region.first >= 0);
    const plan = planMemory(used, regionAlignment);
    used.forEach((region, index) => {
      region.offset = plan.offsets[index] ?? 0;
    });
    this.memory = { arena: plan.size, lowerBound: plan.lowerBound };
    this.#arena = new NativeMemory(plan.size);
    this.#ending = compiled.steps.map((_, index) =>
      used.filter((region) => !region.persistent && region.last === index),
    );
    if (parts.poison) this.#arena.fill(0, plan.size, 0xff);
    try {
      this.#prologue = compiled.prologue.map((step) => this.#bind(step));
      this.#steps = compiled.steps.map((step) => this.#bind(step));
    } catch (error) {
      this.#arena.close();
      throw error;
    }
  }

  run(inputs: Readonly<Record<string, HostArray>>, { update = true }: RunOptions = {}): void {
    const { state, compiled, runtime, poison } = this.#parts;
    if (this.#closed) throw new EngineError('the program is closed');
    this.#bindInputs(inputs);
    // while a program trains, its prologue holds nothing that depends on the parameters
    const stale = compiled.updatesState ? this.#preparedVersion < 0 : this.#preparedVersion !== state.version;
    if (stale) {
      for (const step of this.#prologue) step.run();
      this.#preparedVersion = state.version;
    }
    const steps = this.#steps;
    const end = update ? steps.length : compiled.updateStart;
    let index = 0;
    for (let ended = false; index < end && !ended; index++) {
      ended = (steps[index] as Bound).run() === true;
      compiled.between?.();
      if (poison) this.#poison(index);
    }
    // what the steps left out would have ended
    if (poison) for (; index < steps.length; index++) this.#poison(index);
    runtime.library.call('dnnl_stream_wait', runtime.stream);
    if (compiled.updatesState) state.version += 1;
  }

  read(output: string): Float32Array {
    const tensor = this.#parts.compiled.outputs.get(output);
    if (!tensor) {
      const known = [...this.#parts.compiled.outputs.keys()].join(', ');
      throw new EngineError(`the program has no output '${output}'; it has ${known}`);
    }
    const { shape } = tensor.descriptor;
    const result = new Float32Array(elements({ shape }));
    const plain = this.#plain.get(output) ?? this.#parts.compiled.descriptors.plain(shape, 'f32');
    this.#plain.set(output, plain);
    this.#parts.runtime.reorderToHost(tensor, plain, result, this.#arena);
    return result;
  }

  /** Runs once and gives the milliseconds of each step, for the benchmark. */
  profile(inputs: Readonly<Record<string, HostArray>>): Array<{ name: string; ms: number }> {
    this.run(inputs);
    return this.#steps.map((step) => {
      const start = performance.now();
      step.run();
      return { name: step.name, ms: performance.now() - start };
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { library } = this.#parts.runtime;
    for (const memory of this.#memories.values()) library.call('dnnl_memory_destroy', memory);
    this.#parts.compiled.descriptors.close();
    this.#arena.close();
    this.#held = [];
  }

  #poison(step: number): void {
    for (const region of this.#ending[step] ?? []) this.#arena.fill(region.offset, region.size, 0xff);
  }

  #bindInputs(inputs: Readonly<Record<string, HostArray>>): void {
    const held: HostArray[] = [];
    for (const [name, { value, tensor }] of this.#parts.compiled.inputs) {
      const array = inputs[name];
      if (!array) throw new EngineError(`the program needs the input '${name}'`);
      if (array.length !== elements(value)) {
        throw new EngineError(
          `input '${name}' takes ${elements(value)} numbers (${value.shape.join('x')}), got ${array.length}`,
        );
      }
      if (tensor.place.kind === 'input' && tensor.place.copy) {
        const place = hostPlace(tensor, this.#arena);
        if (array instanceof Int32Array) place.memory.ints(place.offset, array.length).set(array);
        else place.memory.floats(place.offset, array.length).set(array);
        continue;
      }
      held.push(array);
      this.#point(this.#inputs.get(name), addressOf(array));
    }
    this.#held = held;
  }

  #point(input: BoundInput | undefined, address: Handle): void {
    if (!input || input.last === address) return;
    input.last = address;
    for (const memory of input.memories) {
      check('input', this.#parts.runtime.library.call('dnnl_memory_set_data_handle', memory, address));
    }
  }

  #bind(step: Step): Bound {
    return step.kind === 'host' ? this.#bindHost(step) : this.#bindPrimitive(step);
  }

  #bindHost(step: Extract<Step, { kind: 'host' }>): Bound {
    const tensors = [...step.reads, ...step.writes];
    const places = tensors.map((tensor) => hostPlace(tensor, this.#arena));
    const counts = tensors.map((tensor) => elements(tensor.descriptor));
    const floats = new Map<number, Float32Array>();
    const at = (index: number): { memory: NativeMemory; offset: number } =>
      places[index] as (typeof places)[0];
    const views: HostViews = {
      floats: (index) => {
        const known = floats.get(index);
        if (known) return known;
        const view = at(index).memory.floats(at(index).offset, counts[index] ?? 0);
        floats.set(index, view);
        return view;
      },
      ints: (index) => at(index).memory.ints(at(index).offset, counts[index] ?? 0),
      bytes: (index) => at(index).memory.bytes(at(index).offset, tensors[index]?.descriptor.size ?? 0),
    };
    return {
      name: step.name,
      run: () => {
        step.run(views);
        return step.ends?.(views);
      },
    };
  }

  #bindPrimitive(step: Extract<Step, { kind: 'primitive' }>): Bound {
    const {
      runtime,
      compiled: { descriptors },
    } = this.#parts;
    const { library, stream } = runtime;
    const primitive = descriptors.own(
      step.name,
      'dnnl_primitive_destroy',
      'dnnl_primitive_create',
      step.descriptor,
    );
    const list = argumentList(
      step.arguments.map(([argument, tensor]) => [argument, this.#memory(tensor)] as const),
    );
    const count = step.arguments.length;
    const { name } = step;
    return {
      name,
      run: () => {
        const status = library.call('dnnl_primitive_execute', primitive, stream, count, list);
        if (status !== 0) check(name, status);
        return undefined;
      },
    };
  }

  /** The memory object of a tensor; one for each layout at an address. */
  #memory(tensor: Tensor): Handle {
    const address = addressIn(tensor, this.#arena);
    const input = tensor.place.kind === 'input' && !tensor.place.copy ? tensor.place.name : '';
    const key = `${input}@${address}:${tensor.descriptor.handle}`;
    const known = this.#memories.get(key);
    if (known) return known;
    const { runtime } = this.#parts;
    const memory = create(
      runtime.library,
      'memory object',
      'dnnl_memory_create',
      tensor.descriptor.handle,
      runtime.engine,
      address,
    );
    this.#memories.set(key, memory);
    if (input) {
      const bound = this.#inputs.get(input) ?? { memories: [], last: 0 };
      bound.memories.push(memory);
      this.#inputs.set(input, bound);
    }
    return memory;
  }
}
