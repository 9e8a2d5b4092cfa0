import { elements, type Graph, type Node, required, shapeText, type Value } from '../../graph/graph.js';
import type { Communicator } from '../../parallel/communicator.js';
import { type Descriptor, Descriptors, type ElementType, elementType, type FormatTag } from './descriptor.js';
import { type Argument, arg, type FunctionName, type Handle } from './ffi.js';
import { activationLayout } from './layout.js';
import type { Runtime } from './runtime.js';
import type { OneDnnState } from './state.js';
import type { HostStep, Step } from './step.js';
import type { StepList } from './step-list.js';
import { type ArenaRegion, regionOf, type Tensor } from './tensor.js';

/** Inputs of up to this many bytes are copied, so that host code can read them and they never move. */
const copiedInput = 64 * 1024;

/** What the kernels are written against: turns nodes into primitives on tensors whose layouts agree. */
export class Emitter {
  readonly descriptors: Descriptors;
  /** The layout that activations are kept in; `any` leaves it to the primitives. */
  readonly layout: FormatTag;
  /** Whether a backward pass follows: forward primitives are then made for training. */
  readonly trains: boolean;
  readonly inputs = new Map<string, { value: Value; tensor: Tensor }>();
  readonly #list: StepList;
  readonly #tensors = new Map<Value, Tensor>();
  /** Places set aside; a gradient's has a layout only once its parameter has one. */
  readonly #designated = new Map<Value, () => Tensor>();
  readonly #memoized = new Map<string, Handle>();
  readonly #plain = new Map<string, Descriptor>();
  readonly #converted = new Map<Tensor, Tensor[]>();
  /** Casts into half precision that are done where they are read, by the reorder that is due there anyway. */
  readonly #casts = new Map<Value, Value>();
  readonly #holders = new Map<ArenaRegion, Set<Value>>();
  readonly #lastReader = new Map<Value, number>();
  readonly #scratchpad: ArenaRegion;
  /** What is to be called after each step of a run. */
  between: (() => void) | undefined;
  #at = 0;

  constructor(
    readonly runtime: Runtime,
    readonly graph: Graph,
    readonly state: OneDnnState,
    list: StepList,
    /** The other replicas, for the kernels that reduce over them. */
    readonly communicator?: Communicator,
  ) {
    this.#list = list;
    this.descriptors = new Descriptors(runtime.library);
    this.layout = activationLayout(runtime.library.effectiveIsa(), usesHalf(graph));
    this.trains = graph.nodes.some(
      (node) => node.kind.endsWith('Backward') || node.kind.endsWith('BackwardWeight'),
    );
    this.#scratchpad = this.#region(0);
    this.#scratchpad.persistent = true;
    graph.nodes.forEach((node, index) => {
      for (const input of node.inputs) this.#lastReader.set(input, index);
    });
    for (const output of graph.outputs.values()) this.#lastReader.set(output, Number.POSITIVE_INFINITY);
  }

  /** Says which node the kernels are called for from here on. */
  begin(index: number): void {
    this.#at = index;
  }

  /** Makes an input known; a small one has a place of its own, so that host code can read it. */
  declareInput(value: Value): void {
    const descriptor = this.descriptors.plain(value.shape, elementType(value.dtype));
    const copy = elements(value) * 4 <= copiedInput ? this.#region(descriptor.size) : undefined;
    if (copy) copy.persistent = true;
    const tensor: Tensor = { descriptor, place: { kind: 'input', name: value.name, copy }, offset: 0 };
    this.inputs.set(value.name, { value, tensor });
    this.#tensors.set(value, tensor);
  }

  /** Whether somebody wants the value and no kernel has said where it is. */
  lacks(value: Value): boolean {
    return !this.#tensors.has(value) && !this.#casts.has(value) && this.#lastReader.has(value);
  }

  tensor(value: Value): Tensor {
    const known = this.#tensors.get(value);
    if (known) return known;
    const before = this.#casts.get(value);
    if (before) {
      // one object for all readers, so that each layout is made once
      const tensor = this.tensor(before);
      this.#tensors.set(value, tensor);
      return tensor;
    }
    if (value.role !== 'parameter' && value.role !== 'statistic')
      throw new Error(`'${value.name}' is not computed yet`);
    return this.state.tensor(this.state.slot(value.name));
  }

  input(node: Pick<Node, 'inputs' | 'name'>, index: number): Tensor {
    return this.tensor(required(node.inputs, index, node.name));
  }

  /** A parameter in the layout given by `prefer` if it has none yet, else in the one it has. */
  parameter(value: Value, prefer: (descriptors: Descriptors) => Descriptor): Tensor {
    if (value.role !== 'parameter') return this.tensor(value);
    const slot = this.state.slot(value.name);
    this.state.layOut(slot, prefer);
    return this.state.tensor(slot);
  }

  /** New memory in the arena. */
  allocate(descriptor: Descriptor): Tensor {
    return { descriptor, place: this.#region(descriptor.size), offset: 0 };
  }

  /** Memory for an output: the place that was set aside for it if that has this layout, else new. */
  allocateFor(value: Value, descriptor: Descriptor): Tensor {
    const designated = this.#designatedTensor(value);
    return designated && this.descriptors.same(designated.descriptor, descriptor)
      ? designated
      : this.allocate(descriptor);
  }

  /** Says where an output of the node being emitted is. */
  define(value: Value, tensor: Tensor): void {
    const designated = this.#designatedTensor(value);
    if (designated && !samePlace(designated, tensor)) {
      this.reorder(tensor, designated, `${value.name}.place`);
      this.#tensors.set(value, designated);
      return;
    }
    this.#tensors.set(value, tensor);
    const region = regionOf(tensor);
    if (!region) return;
    this.#holders.get(region)?.add(value);
    // written over in place: copies in other layouts are of what was there before
    for (const copied of this.#converted.keys()) {
      if (regionOf(copied) === region) this.#converted.delete(copied);
    }
  }

  /**
   * Says that a value is another in half precision. Its tensor is the other's, in fp32 still: whoever reads it
   * converts it into the layout and the type that it wants.
   */
  defineCast(value: Value, from: Value): void {
    this.#casts.set(value, from);
    const tensor = this.#tensors.get(from);
    const region = tensor && regionOf(tensor);
    if (region) this.#holders.get(region)?.add(value);
  }

  /** What a cast into half precision was made from; other values as they are. */
  beforeCast(value: Value): Value {
    return this.#casts.get(value) ?? value;
  }

  /** Sets a place aside for a value that a later kernel wants there. */
  designate(value: Value, tensor: Tensor): void {
    this.#designated.set(value, () => tensor);
  }

  /** Sends a gradient to its place in the flat buffer, which takes on the layout of its parameter. */
  designateGradient(
    parameter: Value,
    gradient: Value,
    flat: 'gradient' | 'microGradient' = 'gradient',
  ): void {
    const slot = this.state.slot(parameter.name);
    this.#designated.set(gradient, () => this.state.tensor(slot, flat));
    this.state.flat(flat);
  }

  /** Copies a value into the place set aside for it, unless it was made there. */
  settle(value: Value): void {
    const designated = this.#designatedTensor(value);
    const tensor = this.tensor(value);
    if (designated && !samePlace(designated, tensor)) this.reorder(tensor, designated, `${value.name}.place`);
  }

  /** Makes a primitive descriptor once for all steps that ask with the same key. */
  memoized(key: string, make: () => Handle): Handle {
    const known = this.#memoized.get(key) ?? make();
    this.#memoized.set(key, known);
    return known;
  }

  /** A plain descriptor that is shared by all who ask for its shape. */
  memoizedPlain(shape: readonly number[]): Descriptor {
    const key = shape.join('x');
    const known = this.#plain.get(key) ?? this.descriptors.plain(shape, 'f32');
    this.#plain.set(key, known);
    return known;
  }

  /** The tensor in another layout: itself where it already has it, else through a reorder (kept for the next asker). */
  convert(tensor: Tensor, descriptor: Descriptor, name: string): Tensor {
    if (this.descriptors.same(tensor.descriptor, descriptor)) return tensor;
    const copies = this.#converted.get(tensor) ?? [];
    const known = copies.find((copy) => this.descriptors.same(copy.descriptor, descriptor));
    if (known) return known;
    const copy = this.allocate(descriptor);
    this.reorder(tensor, copy, `${name}.reorder`);
    // a flat place changes with every update, so its copies serve one program run only where nothing updates it
    this.#converted.set(tensor, [...copies, copy]);
    return copy;
  }

  plain(tensor: Tensor, name: string, type: ElementType = tensor.descriptor.type): Tensor {
    const { shape } = tensor.descriptor;
    return this.convert(tensor, this.descriptors.plain(shape, type), name);
  }

  reorder(from: Tensor, to: Tensor, name: string): void {
    const descriptor = this.primitive(
      name,
      'dnnl_reorder_primitive_desc_create',
      from.descriptor.handle,
      this.runtime.engine,
      to.descriptor.handle,
      this.runtime.engine,
      this.attributes(),
    );
    this.emit(name, descriptor, [[arg.source, from]], [[arg.destination, to]]);
  }

  /** The same bytes under another shape; the caller knows that the layouts agree. */
  reinterpret(tensor: Tensor, descriptor: Descriptor): Tensor {
    return { ...tensor, descriptor };
  }

  /** A descriptor of activations in the graph's layout. */
  activation(shape: readonly number[], type: ElementType = 'f32'): Descriptor {
    return shape.length === 4
      ? this.descriptors.make(shape, type, this.layout)
      : this.descriptors.plain(shape, type);
  }

  /** A descriptor of pictures in a definite layout. */
  blocked(shape: readonly number[], type: ElementType = 'f32'): Descriptor {
    return this.descriptors.make(shape, type, this.layout === 'any' ? 'nChw8c' : this.layout);
  }

  /** As {@link blocked} for pictures, plain for all else. */
  blockedOrPlain(shape: readonly number[], type: ElementType): Descriptor {
    return shape.length === 4 ? this.blocked(shape, type) : this.descriptors.plain(shape, type);
  }

  /** Attributes with the scratchpad handed over by us, and post-operations. */
  attributes(append?: (postOps: Handle) => void): Handle {
    const { library } = this.runtime;
    const attributes = this.descriptors.own(
      'attributes',
      'dnnl_primitive_attr_destroy',
      'dnnl_primitive_attr_create',
    );
    library.call('dnnl_primitive_attr_set_scratchpad_mode', attributes, 1);
    if (append) {
      const postOps = this.descriptors.own('post-ops', 'dnnl_post_ops_destroy', 'dnnl_post_ops_create');
      append(postOps);
      library.call('dnnl_primitive_attr_set_post_ops', attributes, postOps);
    }
    return attributes;
  }

  /** Makes a primitive descriptor; an error names the node and its shapes. */
  primitive(name: string, create: FunctionName, ...args: Argument[]): Handle {
    return this.descriptors.own(this.describe(name), 'dnnl_primitive_desc_destroy', create, ...args);
  }

  tryPrimitive(create: FunctionName, ...args: Argument[]): Handle | undefined {
    return this.descriptors.tryOwn('dnnl_primitive_desc_destroy', create, ...args);
  }

  emit(
    name: string,
    descriptor: Handle,
    reads: ReadonlyArray<readonly [number, Tensor]>,
    writes: ReadonlyArray<readonly [number, Tensor]>,
  ): void {
    this.#list.push(this.step(name, descriptor, reads, writes));
  }

  /** As {@link emit}, without appending it. */
  step(
    name: string,
    descriptor: Handle,
    reads: ReadonlyArray<readonly [number, Tensor]>,
    writes: ReadonlyArray<readonly [number, Tensor]>,
  ): Step {
    const list = [...reads, ...writes];
    const scratchpad = this.descriptors.chosen(descriptor, 'scratchpad', [1], 'u8');
    if (scratchpad) {
      this.#scratchpad.size = Math.max(this.#scratchpad.size, scratchpad.size);
      list.push([arg.scratchpad, { descriptor: scratchpad, place: this.#scratchpad, offset: 0 }]);
    }
    const tensors = (pairs: ReadonlyArray<readonly [number, Tensor]>): Tensor[] =>
      pairs.map(([, tensor]) => tensor);
    return {
      kind: 'primitive',
      name,
      descriptor,
      arguments: list,
      reads: tensors(reads),
      writes: tensors(writes),
    };
  }

  /** Appends work done by the host on plain tensors. */
  emitHost(step: Omit<HostStep, 'kind'>): void {
    this.#list.push({ kind: 'host', ...step });
  }

  /** Appends steps that can only be made when the flat buffers have their final order. */
  emitLate(make: () => Step[]): void {
    this.#list.pushLate(make);
  }

  /** Memory that keeps numbers from one run to the next, written once. */
  constant(values: Float32Array, name: string): Tensor {
    const tensor = this.allocate(this.descriptors.plain([values.length], 'f32'));
    this.emitHost({ name, reads: [], writes: [tensor], run: (views) => views.floats(0).set(values) });
    return tensor;
  }

  /**
   * Whether the node being emitted may write its result over this tensor: it is the last to read it, in any
   * layout and under any name.
   */
  mayOverwrite(tensor: Tensor): boolean {
    const region = tensor.place.kind === 'arena' ? tensor.place : undefined;
    if (!region || region.persistent || this.#list.isConstant(region)) return false;
    const holders = this.#holders.get(region);
    return holders !== undefined && holders.size > 0 && [...holders].every((value) => this.#isSpent(value));
  }

  #designatedTensor(value: Value): Tensor | undefined {
    return this.#designated.get(value)?.();
  }

  #isSpent(value: Value): boolean {
    return (this.#lastReader.get(value) ?? -1) <= this.#at;
  }

  /** A step of the current node, for messages: operation, name and shapes. */
  describe(name: string): string {
    const node = this.graph.nodes[this.#at];
    if (!node) return name;
    const shapes = node.inputs.map(shapeText).join(', ');
    return `${node.kind} '${name}' (${shapes} -> ${node.outputs.map(shapeText).join(', ')})`;
  }

  #region(size: number): ArenaRegion {
    const region = this.#list.region(size);
    this.#holders.set(region, new Set());
    return region;
  }
}

function usesHalf(graph: Graph): boolean {
  return graph.nodes.some(({ outputs }) => outputs.some(({ dtype }) => dtype === 'bf16'));
}

function samePlace(a: Tensor, b: Tensor): boolean {
  if (a.place.kind === 'flat' && b.place.kind === 'flat') {
    return a.place.flat === b.place.flat && a.place.slot === b.place.slot;
  }
  return a.place === b.place && a.offset === b.offset;
}
