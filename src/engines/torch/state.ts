import { elements, type Graph, type Value } from '../../graph/graph.js';
import { EngineError, type EngineState, type OptimizerSlot } from '../engine.js';
import { newValues } from '../new-values.js';
import type { Handle } from './ffi.js';
import { preferredStrides, type Tensors } from './tensors.js';

export type FlatName = 'parameter' | 'gradient' | 'statistic' | 'batchStatistic' | OptimizerSlot;

const optimizerSlots = ['momentum', 'exp_avg', 'exp_avg_sq'] as const;

/** Elements from one parameter's start to a multiple of a cache line: neighbours never share one. */
const alignment = 16;

interface Place {
  readonly value: Value;
  /** Elements from the start of each flat buffer of its kind. */
  readonly offset: number;
}

interface Flat {
  readonly whole: Handle;
  readonly views: Map<string, Handle>;
}

/**
 * Parameters in one flat tensor, gradients in a second, each optimizer slot in another, all in the same order; what
 * operations work on are views. Running statistics have two: their own and the last batch's.
 */
export class TorchState implements EngineState {
  readonly values = new Map<string, Value>();
  /** Counts the changes, so that programs know when weights prepared earlier are stale. */
  version = 0;
  readonly #tensors: Tensors;
  readonly #places = new Map<string, Place>();
  readonly #flats = new Map<FlatName, Flat>();
  readonly #ranges = new Map<string, Handle>();
  #sizes: { parameter: number; statistic: number } | undefined;
  #closed = false;

  constructor(tensors: Tensors) {
    this.#tensors = tensors;
  }

  get slots(): OptimizerSlot[] {
    return optimizerSlots.filter((name) => this.#flats.has(name));
  }

  /** Takes in the parameters and statistics of a graph; a later graph must not bring new ones. */
  adopt(graph: Graph): void {
    const sizes = { parameter: 0, statistic: 0 };
    for (const value of newValues(graph, this.values, this.#sizes !== undefined)) {
      const role = value.role === 'statistic' ? 'statistic' : 'parameter';
      this.values.set(value.name, value);
      this.#places.set(value.name, { value, offset: sizes[role] });
      sizes[role] += Math.ceil(elements(value) / alignment) * alignment;
    }
    this.#sizes ??= sizes;
  }

  /** A parameter or statistic, or what goes with it in another flat buffer. The state owns the handle. */
  view(name: string, flat: FlatName = this.#ownFlat(name)): Handle {
    const { views, whole } = this.#flat(flat);
    const known = views.get(name);
    if (known !== undefined) return known;
    const { value, offset } = this.#place(name);
    const { shape } = value;
    const view = this.#tensors.view(whole, { shape, strides: preferredStrides(shape) }, offset);
    views.set(name, view);
    return view;
  }

  whole(flat: FlatName): Handle {
    return this.#flat(flat).whole;
  }

  /**
   * The stretch of a flat buffer that some parameters cover, as one tensor.
   * @throws Error they do not lie one behind the other
   */
  range(names: readonly string[], flat: FlatName): Handle {
    const places = names.map((name) => this.#place(name));
    const ends = places.map(({ value, offset }) => offset + elements(value));
    const start = Math.min(...places.map(({ offset }) => offset));
    const end = Math.ceil(Math.max(...ends) / alignment) * alignment;
    const padded = places.map(({ value }) => Math.ceil(elements(value) / alignment) * alignment);
    if (end - start !== padded.reduce((sum, size) => sum + size, 0)) {
      throw new Error('the parameters do not lie one behind the other');
    }
    const key = `${flat}:${start}:${end}`;
    const known = this.#ranges.get(key);
    if (known !== undefined) return known;
    const range = this.#tensors.view(this.whole(flat), { shape: [end - start], strides: [1] }, start);
    this.#ranges.set(key, range);
    return range;
  }

  read(name: string, kept?: OptimizerSlot | 'gradient', into?: Float32Array): Float32Array {
    const { shape } = this.#place(name).value;
    const count = elements({ shape });
    const result = into ?? new Float32Array(count);
    if (result.length !== count) {
      throw new EngineError(`'${name}' has ${count} numbers, there is room for ${result.length}`);
    }
    this.#tensors.download(this.#existing(name, kept), result, shape);
    return result;
  }

  write(name: string, data: Float32Array, slot?: OptimizerSlot): void {
    const { shape } = this.#place(name).value;
    const count = elements({ shape });
    if (data.length !== count) throw new EngineError(`'${name}' takes ${count} numbers, got ${data.length}`);
    this.#tensors.upload(this.#existing(name, slot), data, shape);
    this.version += 1;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { torch } = this.#tensors;
    for (const range of this.#ranges.values()) torch.release(range);
    for (const { views, whole } of this.#flats.values()) {
      for (const view of views.values()) torch.release(view);
      torch.release(whole);
    }
  }

  #existing(name: string, kept: OptimizerSlot | 'gradient' | undefined): Handle {
    if (kept && !this.#flats.has(kept)) {
      throw new EngineError(`no optimizer of the compiled graphs keeps '${kept}'`);
    }
    return this.view(name, kept);
  }

  #ownFlat(name: string): FlatName {
    return this.#place(name).value.role === 'statistic' ? 'statistic' : 'parameter';
  }

  #flat(name: FlatName): Flat {
    const known = this.#flats.get(name);
    if (known) return known;
    if (!this.#sizes || this.#closed) {
      throw new EngineError('compile a graph before reading or writing its parameters');
    }
    const role = name === 'statistic' || name === 'batchStatistic' ? 'statistic' : 'parameter';
    const flat = { whole: this.#tensors.zeros(this.#sizes[role]), views: new Map<string, Handle>() };
    this.#flats.set(name, flat);
    return flat;
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (place) return place;
    const some = [...this.#places.keys()].slice(0, 5);
    throw new EngineError(`the state holds no '${name}'; it holds ${some}, ...`);
  }
}
