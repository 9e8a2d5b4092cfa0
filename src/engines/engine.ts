import type { Graph, Value } from '../graph/graph.js';
import type { Communicator } from '../parallel/communicator.js';
import type { Gpu } from '../parallel/nccl/join.js';

export { EngineError } from '../errors.js';

/** Host arrays that an input may be written from; a view of shared memory is read where it lies. */
export type HostArray = Float32Array | Int32Array;

/**
 * A library that runs graphs. Everything native has an owner and is closed by it, programs before their state,
 * the state before the engine; nothing waits for the garbage collector.
 */
export interface Engine {
  readonly name: string;
  /** What it computes on, where that is a GPU which replicas may reach without the host. */
  readonly gpu?: Gpu | undefined;
  /** Makes the place where the parameters of one model live; empty until a graph is compiled on it. */
  createState(): EngineState;
  /**
   * Makes a graph ready to run. The first graph compiled on a state gives its parameters their layout, so
   * compile the training graph before the ones that only infer.
   * @throws {EngineError} with the operation, its shapes and the library's own message
   */
  compile(graph: Graph, options: CompileOptions): Program;
  close(): void;
}

export interface EngineOptions {
  /** Threads of the engine's own pool; physical cores by default. */
  threads?: number;
  /** Where it computes, in PyTorch's words: `cpu`, `cuda:0`, `mps`. Default: `cpu`. */
  device?: string;
  onProgress?: (message: string) => void;
}

export interface CompileOptions {
  state: EngineState;
  /** Fill each region with NaN when its lifetime ends, so that a wrong lifetime shows. For tests. */
  poison?: boolean;
  /** The other replicas, for the nodes of the graph that reduce over them; alone by default. */
  communicator?: Communicator;
}

/** What an optimizer keeps for each parameter. */
export type OptimizerSlot = 'momentum' | 'exp_avg' | 'exp_avg_sq';

/**
 * Parameters, running statistics and optimizer state of one model. Arrays are in the plain order of
 * their shapes, whatever layout the engine keeps them in.
 */
export interface EngineState {
  /** Values held so far: the parameters and statistics of the graphs compiled on this state. */
  readonly values: ReadonlyMap<string, Value>;
  /** Optimizer slots in use: none until a graph with an optimizer is compiled. */
  readonly slots: readonly OptimizerSlot[];
  /**
   * A copy of a parameter or statistic, or of what the optimizer keeps for it, or of its last gradient.
   * @param into where to put the numbers, instead of a new array
   */
  read(name: string, slot?: OptimizerSlot | 'gradient', into?: Float32Array): Float32Array;
  write(name: string, data: Float32Array, slot?: OptimizerSlot): void;
  close(): void;
}

export interface RunOptions {
  /** False: only the nodes before the graph's update part, so that gradients are gathered. Default: true. */
  update?: boolean;
}

/** A compiled graph. */
export interface Program {
  /** Bytes: the arena as planned, and the least that any plan could do with. */
  readonly memory: { readonly arena: number; readonly lowerBound: number };
  /** Runs one step. Every input of the graph is needed, in its shape. */
  run(inputs: Readonly<Record<string, HostArray>>, options?: RunOptions): void;
  /** A copy of a named output of the last run, in the plain order of its shape. */
  read(output: string): Float32Array;
  close(): void;
}
