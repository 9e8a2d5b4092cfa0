import {
  type DType,
  elements,
  type Graph,
  type Node,
  required,
  shapeText,
  type Value,
} from '../../graph/graph.js';
import type { Communicator } from '../../parallel/communicator.js';
import type { HostArray } from '../engine.js';
import type { FlatName, TorchState } from './state.js';
import {
  type DirectStep,
  type HostInputs,
  int,
  ints,
  none,
  type Slot,
  type Step,
  type StepArgument,
  some,
  tensor,
  type Upload,
} from './step.js';
import { preferredStrides, type Tensors } from './tensors.js';

const updates = new Set(['sgd', 'adam', 'updateStatistics']);

/** What a result looks like, as far as it is known beforehand; f32 unless it says otherwise. */
export interface Like {
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

const bytesOfElement = { f32: 4, i32: 4, bf16: 2, f16: 2, u8: 1, opaque: 4 } as const;

function bytesOf(like: Like): number {
  return elements(like) * bytesOfElement[like.dtype ?? 'f32'];
}

/** What the kernels are written against: turns nodes into calls of the dispatcher on tensors. */
export class Emitter {
  /** Run again only when the parameters have changed. */
  readonly prologue: Step[] = [];
  readonly steps: Step[] = [];
  readonly uploads: Upload[] = [];
  /** Tensors that the program owns for as long as it lives. */
  readonly owned: Slot[] = [];
  /** Whether running the graph changes parameters or statistics. */
  readonly updatesState: boolean;
  readonly #slots = new Map<Value, Slot>();
  readonly #values = new Map<Slot, Value[]>();
  readonly #companions = new Map<Value, Slot>();
  readonly #gradients = new Map<Value, string>();
  readonly #stateSlots = new Map<string, Slot>();
  readonly #constants = new Map<string, Slot>();
  readonly #constantValues = new Set<Value>();
  readonly #readers = new Map<Value, Node[]>();
  readonly #lastReader = new Map<Value, number>();
  /** What is to be called after each step of a run. */
  between: (() => void) | undefined;
  #at = 0;
  #inPrologue = false;

  constructor(
    readonly tensors: Tensors,
    readonly graph: Graph,
    readonly state: TorchState,
    /** The other replicas, where there are some. */
    readonly communicator?: Communicator | undefined,
  ) {
    this.updatesState = graph.nodes.some((node) => updates.has(node.kind));
    graph.nodes.forEach((node, index) => {
      for (const input of node.inputs) {
        this.#lastReader.set(input, index);
        this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
      }
    });
    for (const output of graph.outputs.values()) this.#lastReader.set(output, Number.POSITIVE_INFINITY);
  }

  /** Says which node the kernels are called for from here on. */
  begin(index: number): void {
    this.#at = index;
    const node = this.graph.nodes[index];
    this.#inPrologue =
      node !== undefined && node.outputs.length > 0 && node.inputs.every((value) => this.#isConstant(value));
    if (this.#inPrologue) for (const output of node?.outputs ?? []) this.#constantValues.add(output);
  }

  /** Whether somebody wants the value and no kernel has said where it is. */
  lacks(value: Value): boolean {
    return !this.#slots.has(value) && this.#lastReader.has(value);
  }

  readersOf(value: Value): readonly Node[] {
    return this.#readers.get(value) ?? [];
  }

  isOutput(value: Value): boolean {
    return this.#lastReader.get(value) === Number.POSITIVE_INFINITY;
  }

  slot(value: Value): Slot {
    const known = this.#slots.get(value);
    if (known) return known;
    if (value.role === 'computed') throw new Error(`'${value.name}' is not computed yet`);
    if (value.role === 'input') return this.#inputSlot(value);
    return this.stateSlot(value.name);
  }

  input(node: Pick<Node, 'inputs' | 'name'>, index: number): Slot {
    return this.slot(required(node.inputs, index, node.name));
  }

  /** A parameter or statistic, or what goes with it in another flat buffer. */
  stateSlot(name: string, flat?: FlatName): Slot {
    return this.#stateSlot(`${flat}:${name}`, () => this.state.view(name, flat));
  }

  /** A whole flat buffer. */
  flatSlot(flat: FlatName): Slot {
    return this.#stateSlot(flat, () => this.state.whole(flat));
  }

  /** The stretch of a flat buffer that some parameters cover. */
  rangeSlot(parameters: readonly Value[], flat: FlatName): Slot {
    const names = parameters.map(({ name }) => name);
    return this.#stateSlot(`${flat}:${names}`, () => this.state.range(names, flat));
  }

  /** A number for all runs, with no axes unless `shape` says otherwise. */
  constant(value: number, shape: readonly number[] = [], dtype: DType = 'f32'): Slot {
    const key = `${value}:${shape}:${dtype}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const slot = this.#own(this.tensors.filled(shape, value, dtype));
    this.#constants.set(key, slot);
    return slot;
  }

  /** Zeros that a kernel may write to. */
  scratch(shape: readonly number[]): Slot {
    return this.#own(this.tensors.filled(shape, 0));
  }

  /** A tensor that the host makes anew for every run. */
  upload(shape: readonly number[], dtype: DType, make: (inputs: HostInputs) => HostArray): Slot {
    const slot = this.#own(this.tensors.empty({ shape, strides: preferredStrides(shape), dtype }));
    this.uploads.push({ slot, shape, dtype, make });
    return slot;
  }

  /** Calls an operation of the namespace aten and gives its first `count` results. */
  call(
    operation: string,
    args: readonly StepArgument[],
    options: { overload?: string; results: ReadonlyArray<Like | undefined> },
  ): Slot[] {
    const results = options.results.map((like) => like && this.#fresh(bytesOf(like)));
    this.#push({ kind: 'dispatch', operation, overload: options.overload ?? '', args, results });
    return results.filter((slot) => slot !== undefined);
  }

  /** As {@link call}, for an operation whose one result has the shape of `like`. */
  call1(operation: string, args: readonly StepArgument[], like: Like, overload = ''): Slot {
    const [result] = this.call(operation, args, { overload, results: [like] });
    return result as Slot;
  }

  /** Calls an operation that writes into its first argument. */
  callInPlace(operation: string, target: Slot, args: readonly StepArgument[] = [], overload = ''): Slot {
    this.#push({
      kind: 'dispatch',
      operation,
      overload,
      args: [tensor(target), ...args],
      results: [undefined],
    });
    return target;
  }

  /** Calls an operation that gives nothing back. */
  callVoid(operation: string, args: readonly StepArgument[], overload = ''): void {
    this.#push({ kind: 'dispatch', operation, overload, args, results: [] });
  }

  /** a + scale b. The ABI knows no scalars, but this call of its own; shapes are stretched as PyTorch does it. */
  addScaled(a: Slot, b: Slot, scale: number, like: Like): Slot {
    const result = this.#fresh(bytesOf(like));
    const { torch } = this.tensors;
    this.#push({
      kind: 'direct',
      reads: [a, b],
      makes: [result],
      run: () => {
        result.handle = torch.create('aoti_torch_aten_subtract_Tensor', a.handle, b.handle, -scale);
      },
    });
    return result;
  }

  /** Work that no operation does. */
  direct(step: Omit<DirectStep, 'kind'>): void {
    this.#push({ kind: 'direct', ...step });
  }

  copy(to: Slot, from: Slot): void {
    this.#push({
      kind: 'direct',
      reads: [to, from],
      makes: [],
      run: () => this.tensors.copy(to.handle, from.handle),
    });
  }

  /** Memory with any content, for operations that ask for a tensor only to learn its shape. */
  blank(shape: readonly number[], dtype: DType): Slot {
    const slot = this.#fresh(0);
    const layout = { shape, strides: preferredStrides(shape), dtype };
    this.#push({
      kind: 'direct',
      reads: [],
      makes: [slot],
      run: () => {
        slot.handle = this.tensors.empty(layout);
      },
    });
    return slot;
  }

  /** Calls an operation whose result is the same memory under another shape. */
  callView(operation: string, source: Slot, args: readonly StepArgument[], overload = ''): Slot {
    const result: Slot = {
      handle: 0,
      fixed: false,
      kept: this.#inPrologue,
      storage: source.storage,
      bytes: 0,
    };
    source.storage.slots.add(result);
    this.#push({ kind: 'dispatch', operation, overload, args: [tensor(source), ...args], results: [result] });
    return result;
  }

  /** The elements in their plain order under another shape; copied where the memory order is another. */
  reshape(source: Slot, shape: readonly number[]): Slot {
    return this.callView('reshape', source, [ints(shape)]);
  }

  /** The same numbers in the order that picture-shaped tensors are kept in. */
  channelsLast(source: Slot): Slot {
    return this.callView('contiguous', source, [int(this.tensors.torch.codes.channelsLast)]);
  }

  cast(source: Slot, dtype: DType, like: Like): Slot {
    const code = some(int(this.tensors.code(dtype)));
    return this.call1('_to_copy', [tensor(source), code, none, none, none, int(0), none], like);
  }

  /** The tensor itself where it has the type already. */
  castTo(source: Slot, from: DType, to: DType, like: Like): Slot {
    return from === to ? source : this.cast(source, to, like);
  }

  /** Says where an output of the node being emitted is. */
  define(value: Value, slot: Slot): void {
    const parameter = this.#gradients.get(value);
    if (parameter !== undefined) {
      const place = this.stateSlot(parameter, 'gradient');
      if (slot !== place) this.copy(place, slot);
      this.#slots.set(value, place);
      return;
    }
    this.#slots.set(value, slot);
    this.#values.set(slot, [...(this.#values.get(slot) ?? []), value]);
  }

  /** Sends a gradient to its place in the flat buffer. */
  designateGradient(parameter: Value, gradient: Value): void {
    this.#gradients.set(gradient, parameter.name);
  }

  /** Copies a gradient to its place unless it was made there: one that the host hands over. */
  settleGradient(parameter: Value, gradient: Value): void {
    const place = this.stateSlot(parameter.name, 'gradient');
    const slot = this.slot(gradient);
    if (slot !== place) this.copy(place, slot);
  }

  /** What a kernel keeps for another beside a value, e.g. the inverse deviation beside the variance. */
  accompany(value: Value, slot: Slot): void {
    this.#companions.set(value, slot);
  }

  companion(value: Value): Slot | undefined {
    return this.#companions.get(value);
  }

  /** Whether the node being emitted may write over this tensor: it is the last to read it, under any name. */
  mayOverwrite(slot: Slot): boolean {
    if (slot.fixed || slot.kept || slot.storage.slots.size > 1) return false;
    const values = this.#values.get(slot) ?? [];
    return values.length > 0 && values.every((value) => (this.#lastReader.get(value) ?? -1) <= this.#at);
  }

  /** The current node, for messages: operation, name and shapes. */
  describe(index = this.#at): string {
    const node = this.graph.nodes[index];
    if (!node) return 'the program';
    const shapes = node.inputs.map(shapeText).join(', ');
    return `${node.kind} '${node.name}' (${shapes} -> ${node.outputs.map(shapeText).join(', ')})`;
  }

  #isConstant(value: Value): boolean {
    if (this.#constantValues.has(value)) return true;
    return !this.updatesState && (value.role === 'parameter' || value.role === 'statistic');
  }

  #push(
    step: Omit<Extract<Step, { kind: 'direct' }>, 'node'> | Omit<Extract<Step, { kind: 'dispatch' }>, 'node'>,
  ): void {
    (this.#inPrologue ? this.prologue : this.steps).push({ ...step, node: this.#at });
  }

  #fresh(bytes: number): Slot {
    const slots = new Set<Slot>();
    const slot: Slot = { handle: 0, fixed: false, kept: this.#inPrologue, storage: { slots }, bytes };
    slots.add(slot);
    return slot;
  }

  #own(handle: number): Slot {
    const slot = fixedSlot(handle);
    this.owned.push(slot);
    return slot;
  }

  #stateSlot(key: string, find: () => number): Slot {
    const known = this.#stateSlots.get(key);
    if (known) return known;
    const slot = fixedSlot(find());
    this.#stateSlots.set(key, slot);
    return slot;
  }

  #inputSlot(value: Value): Slot {
    const dtype = value.dtype;
    const slot = this.upload(value.shape, dtype, (inputs) => required([inputs[value.name]], 0, value.name));
    this.#slots.set(value, slot);
    return slot;
  }
}

function fixedSlot(handle: number): Slot {
  const slots = new Set<Slot>();
  const slot: Slot = { handle, fixed: true, kept: false, storage: { slots }, bytes: 0 };
  slots.add(slot);
  return slot;
}
