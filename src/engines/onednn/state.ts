import { elements, type Graph, type Value } from '../../graph/graph.js';
import type { FloatRange } from '../../parallel/communicator.js';
import { EngineError, type EngineState, type OptimizerSlot } from '../engine.js';
import { newValues } from '../new-values.js';
import { type Descriptor, Descriptors } from './descriptor.js';
import { NativeMemory } from './native-memory.js';
import type { Runtime } from './runtime.js';
import type { FlatBuffer, Tensor } from './tensor.js';

/** Cache line: neighbours in a flat buffer never share one. */
const slotAlignment = 64;

/** `microGradient`: of one micro-batch, to be added to `gradient`. */
export type FlatName = 'parameter' | 'gradient' | 'microGradient' | 'statistic' | OptimizerSlot;

export interface Slot {
  readonly value: Value;
  /** Layout, chosen by the first primitive that works on it. */
  descriptor: Descriptor | undefined;
  /** Bytes from the start of each flat buffer of its kind. */
  offset: number;
}

/** Parameters in one flat buffer, gradients in a second, each optimizer state in another; all in the same layout. */
export class OneDnnState implements EngineState {
  readonly values = new Map<string, Value>();
  /** Counts the changes, so that programs know when weights prepared earlier are stale. */
  version = 0;
  readonly #slots = new Map<string, Slot>();
  readonly #flats = new Map<FlatName, FlatBuffer>();
  readonly #descriptors: Descriptors;
  readonly #runtime: Runtime;
  #laidOut: { parameter: number; statistic: number } | undefined;
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#descriptors = new Descriptors(runtime.library);
  }

  get slots(): OptimizerSlot[] {
    return (['momentum', 'exp_avg', 'exp_avg_sq'] as const).filter((name) => this.#flats.has(name));
  }

  /** Takes in the parameters and statistics of a graph; a later graph must not bring new ones. */
  adopt(graph: Graph): void {
    for (const value of newValues(graph, this.values, this.#laidOut !== undefined)) {
      this.values.set(value.name, value);
      this.#slots.set(value.name, { value, descriptor: undefined, offset: 0 });
    }
  }

  slot(name: string): Slot {
    const slot = this.#slots.get(name);
    if (!slot)
      throw new EngineError(
        `the state holds no '${name}'; it holds ${[...this.#slots.keys()].slice(0, 5)}, ...`,
      );
    return slot;
  }

  /** Gives a slot its layout if it has none yet. */
  layOut(slot: Slot, make: (descriptors: Descriptors) => Descriptor): Descriptor {
    slot.descriptor ??= make(this.#descriptors);
    return slot.descriptor;
  }

  tensor(slot: Slot, flat: FlatName = slot.value.role === 'statistic' ? 'statistic' : 'parameter'): Tensor {
    const descriptor = this.layOut(slot, (descriptors) => descriptors.plain(slot.value.shape, 'f32'));
    return { descriptor, place: { kind: 'flat', flat: this.flat(flat), slot }, offset: 0 };
  }

  flat(name: FlatName): FlatBuffer {
    let flat = this.#flats.get(name);
    if (!flat) {
      flat = { memory: undefined };
      this.#flats.set(name, flat);
      if (this.#laidOut) this.#allocate(name, flat);
    }
    return flat;
  }

  /** Fixes all offsets and makes the buffers; the layouts are final from here on. */
  finish(): void {
    if (this.#laidOut) return;
    const ends = { parameter: 0, statistic: 0 };
    for (const slot of this.#slots.values()) {
      const role = slot.value.role === 'statistic' ? 'statistic' : 'parameter';
      const { size } = this.layOut(slot, (descriptors) => descriptors.plain(slot.value.shape, 'f32'));
      slot.offset = ends[role];
      ends[role] += Math.ceil(size / slotAlignment) * slotAlignment;
    }
    this.#laidOut = ends;
    this.flat('parameter');
    this.flat('statistic');
    for (const [name, flat] of this.#flats) this.#allocate(name, flat);
  }

  /** A whole flat buffer or some of its bytes, once its offsets are fixed. */
  range(name: FlatName, part?: { start: number; end: number }): FloatRange {
    const { memory } = this.flat(name);
    const end = this.#laidOut?.[name === 'statistic' ? 'statistic' : 'parameter'];
    if (!memory || end === undefined) throw new EngineError(`the buffer '${name}' is not laid out yet`);
    const { start, end: last } = part ?? { start: 0, end };
    return { address: BigInt(memory.address + start), length: (last - start) / 4 };
  }

  read(name: string, kept?: OptimizerSlot | 'gradient', into?: Float32Array): Float32Array {
    const tensor = this.#existing(name, kept);
    const count = elements(this.slot(name).value);
    const result = into ?? new Float32Array(count);
    if (result.length !== count) {
      throw new EngineError(`'${name}' has ${count} numbers, there is room for ${result.length}`);
    }
    this.#withPlain(tensor, (plain) => this.#runtime.reorderToHost(tensor, plain, result));
    return result;
  }

  write(name: string, data: Float32Array, optimizerSlot?: OptimizerSlot): void {
    const tensor = this.#existing(name, optimizerSlot);
    const count = elements(this.slot(name).value);
    if (data.length !== count) throw new EngineError(`'${name}' takes ${count} numbers, got ${data.length}`);
    this.#withPlain(tensor, (plain) => this.#runtime.reorderFromHost(data, plain, tensor));
    this.version += 1;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const flat of this.#flats.values()) flat.memory?.close();
    this.#descriptors.close();
  }

  #existing(name: string, kept: OptimizerSlot | 'gradient' | undefined): Tensor {
    const slot = this.slot(name);
    if (!this.#laidOut) throw new EngineError('compile a graph before reading or writing its parameters');
    if (kept && !this.#flats.has(kept)) {
      throw new EngineError(`no optimizer of the compiled graphs keeps '${kept}'`);
    }
    return this.tensor(slot, kept);
  }

  #withPlain(tensor: Tensor, work: (plain: Descriptor) => void): void {
    const scratch = new Descriptors(this.#runtime.library);
    try {
      work(scratch.plain(tensor.descriptor.shape, 'f32'));
    } finally {
      scratch.close();
    }
  }

  #allocate(name: FlatName, flat: FlatBuffer): void {
    const size = this.#laidOut?.[name === 'statistic' ? 'statistic' : 'parameter'] ?? 0;
    flat.memory ??= new NativeMemory(size);
  }
}
