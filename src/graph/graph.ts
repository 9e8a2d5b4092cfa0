import { UserError } from '../errors.js';

/** `opaque` is a forward pass's note to its own backward pass; only the engine knows what is in it. */
export type DType = 'f32' | 'bf16' | 'f16' | 'i32' | 'u8' | 'opaque';

/** Shape (always in NCHW or NC meaning, whatever the engine's layout) and element type. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** How a parameter gets its first values; `fanIn` and `fanOut` count weights per output and input unit. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly std: number };

/**
 * - `input`: written by the host before a step (pictures, labels, learning rate)
 * - `parameter`: learned; lives in the flat parameter buffer
 * - `statistic`: running mean or variance; lives in the flat statistics buffer
 * - `computed`: made by a node
 */
export type Role = 'input' | 'parameter' | 'statistic' | 'computed';

export interface Value extends TensorType {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  /** Parameters and statistics only. */
  readonly initializer?: Initializer;
  /** Parameters only: whether weight decay applies when `noDecay` is asked for biases and norms. */
  readonly decays?: boolean;
}

export interface Node<K extends string = string, A = unknown> {
  readonly kind: K;
  readonly operation: Operation<K, A>;
  /** Path of the layer that it belongs to, e.g. `stages.0.blocks.1.conv2`. */
  readonly name: string;
  readonly attributes: A;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** What a gradient rule gets to see. */
export interface GradientContext<A> {
  readonly graph: Graph;
  readonly name: string;
  readonly attributes: A;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Gradient with respect to each output; undefined where nothing depends on it. */
  readonly outputGradients: ReadonlyArray<Value | undefined>;
  /** Whether anything learned lies behind input `index`. */
  needs(index: number): boolean;
}

/** One kind of node: its name, its shape rule and its gradient rule. Engines hold one kernel for each. */
export interface Operation<K extends string, A> {
  readonly kind: K;
  /** Types of the outputs. Throws a {@link UserError} that names `where`, both shapes and the mend. */
  infer(attributes: A, inputs: readonly TensorType[], where: string): TensorType[];
  /** Gradient of each input, by nodes appended to the graph; absent where there is none. */
  gradient?(context: GradientContext<A>): ReadonlyArray<Value | undefined>;
  /** Floating-point operations of one run (a multiply-add counts as two). */
  flops?(attributes: A, inputs: readonly TensorType[], outputs: readonly TensorType[]): number;
}

export function defineOperation<const K extends string, A>(operation: Operation<K, A>): Operation<K, A> {
  return operation;
}

/** A module of the model, for the layer table and for TensorBoard's graph page. */
export interface Scope {
  readonly path: string;
  /** The kind of module that a reader knows, e.g. `ResNetBottleNeck`. */
  readonly type: string;
}

/**
 * A static computation: nodes in the order in which they can run. Nodes and values are immutable;
 * building appends, and a pass (see fuse.ts) makes a new graph.
 */
export class Graph {
  readonly #nodes: Node[] = [];
  readonly #values = new Map<string, Value>();
  readonly #outputs = new Map<string, Value>();
  readonly #scopes = new Map<string, Scope>();
  #nextId = 0;
  #path: string[] = [];
  #updateStart: number | undefined;

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Index of the first node of the update, which a run may leave out; the number of nodes where there is none. */
  get updateStart(): number {
    return this.#updateStart ?? this.#nodes.length;
  }

  /** The nodes appended from here on are the update: a run may leave them out. */
  beginUpdate(): void {
    this.#updateStart = this.#nodes.length;
  }

  /** Named results that the host may read after a run. */
  get outputs(): ReadonlyMap<string, Value> {
    return this.#outputs;
  }

  get scopes(): ReadonlyMap<string, Scope> {
    return this.#scopes;
  }

  /** Inputs, parameters and statistics in the order of their making. */
  values(role: Exclude<Role, 'computed'>): Value[] {
    return [...this.#values.values()].filter((value) => value.role === role);
  }

  input(name: string, shape: readonly number[], dtype: DType = 'f32'): Value {
    return this.#declare({ name, shape, dtype, role: 'input' });
  }

  parameter(name: string, shape: readonly number[], initializer: Initializer, decays: boolean): Value {
    return this.#declare({ name, shape, dtype: 'f32', role: 'parameter', initializer, decays });
  }

  statistic(name: string, shape: readonly number[], value: number): Value {
    const initializer = { kind: 'constant', value } as const;
    return this.#declare({ name, shape, dtype: 'f32', role: 'statistic', initializer });
  }

  /** Appends one node and gives its outputs. */
  apply<K extends string, A>(
    operation: Operation<K, A>,
    attributes: A,
    inputs: readonly Value[],
    name: string,
  ): Value[] {
    const path = this.path(name);
    const outputs = operation
      .infer(attributes, inputs, path)
      .map(
        (type, index): Value =>
          this.#value({ ...type, name: index ? `${path}:${index}` : path, role: 'computed' }),
      );
    this.#push({ kind: operation.kind, operation, name: path, attributes, inputs, outputs });
    return outputs;
  }

  /** As {@link apply}, for an operation with one output (or whose first is the one that matters). */
  apply1<K extends string, A>(
    operation: Operation<K, A>,
    attributes: A,
    inputs: readonly Value[],
    name: string,
  ): Value {
    const [output] = this.apply(operation, attributes, inputs, name);
    if (!output) throw new Error(`${operation.kind} '${name}' has no output`);
    return output;
  }

  /** Takes over a node of another graph as it is; for passes. */
  adopt(node: Node): void {
    this.#push(node);
  }

  /** Takes over everything of `other` but its nodes; for passes. */
  adoptDeclarations(other: Graph): void {
    for (const [name, value] of other.#values) this.#values.set(name, value);
    for (const [name, value] of other.#outputs) this.#outputs.set(name, value);
    for (const [path, scope] of other.#scopes) this.#scopes.set(path, scope);
    this.#nextId = other.#nextId;
  }

  /** A value for a node that a pass makes itself. */
  fresh(name: string, type: TensorType): Value {
    return this.#value({ ...type, name, role: 'computed' });
  }

  output(name: string, value: Value): void {
    this.#outputs.set(name, value);
  }

  /** Runs `build` inside a module: the names made there get its path in front. */
  scope<T>(name: string, type: string, build: () => T): T {
    this.#path.push(name);
    const path = this.#path.join('.');
    this.#scopes.set(path, { path, type });
    try {
      return build();
    } finally {
      this.#path.pop();
    }
  }

  /** The full name of `name` in the scope being built. */
  path(name: string): string {
    return [...this.#path, name].join('.');
  }

  #declare(spec: Omit<Value, 'id'>): Value {
    const name = this.path(spec.name);
    if (this.#values.has(name)) throw new Error(`the graph has two values named '${name}'`);
    const value = this.#value({ ...spec, name });
    this.#values.set(name, value);
    return value;
  }

  #value(spec: Omit<Value, 'id'>): Value {
    return Object.freeze({ ...spec, id: this.#nextId++ });
  }

  #push(node: Node | Node<never, never>): void {
    this.#nodes.push(Object.freeze(node) as Node);
  }
}

export function elements(type: { readonly shape: readonly number[] }): number {
  return type.shape.reduce((product, extent) => product * extent, 1);
}

/** Bytes of one element; an `opaque` note counts as a byte an element, as engines keep it at most. */
export function elementSize(dtype: DType): number {
  if (dtype === 'f32' || dtype === 'i32') return 4;
  return dtype === 'bf16' || dtype === 'f16' ? 2 : 1;
}

/** Throws where an operation would mix types. */
export function sameType(a: TensorType, b: TensorType, where: string): void {
  if (a.dtype === b.dtype) return;
  throw shapeError(where, `mixes ${a.dtype} and ${b.dtype}`, 'cast one of them; autocast does');
}

export function sameShape(a: TensorType, b: TensorType): boolean {
  return a.shape.length === b.shape.length && a.shape.every((extent, axis) => extent === b.shape[axis]);
}

/** `[32, 3, 224, 224]` as people write it: `32x3x224x224`. */
export function shapeText(type: { readonly shape: readonly number[] }): string {
  return type.shape.length ? type.shape.join('x') : 'scalar';
}

/** A shape error: names the layer, what it got, and what would mend it. */
export function shapeError(where: string, problem: string, hint: string): UserError {
  return new UserError(`layer '${where}': ${problem}`, { hint });
}

/** The input at `index`, which the operation cannot do without. */
export function required<T>(inputs: readonly (T | undefined)[], index: number, where: string): T {
  const value = inputs[index];
  if (value === undefined) throw new Error(`'${where}' lacks input ${index}`);
  return value;
}

/** The extents of a picture-shaped tensor. */
export function nchw(type: TensorType, where: string): [number, number, number, number] {
  const [n, c, h, w] = type.shape;
  if (type.shape.length !== 4 || n === undefined || c === undefined || h === undefined || w === undefined) {
    throw shapeError(
      where,
      `takes pictures (NxCxHxW) but got ${shapeText(type)}`,
      'put it before the flatten layer',
    );
  }
  return [n, c, h, w];
}

/** The extents of a batch of vectors. */
export function nc(type: TensorType, where: string): [number, number] {
  const [n, c] = type.shape;
  if (type.shape.length !== 2 || n === undefined || c === undefined) {
    throw shapeError(
      where,
      `takes vectors (NxC) but got ${shapeText(type)}`,
      'put a flatten layer before it',
    );
  }
  return [n, c];
}
