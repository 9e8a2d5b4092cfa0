import type { Graph, Node, Value } from '../../graph/graph.js';
import type { GraphNode } from '../../graph/ops/index.js';
import type { Communicator } from '../../parallel/communicator.js';
import { EngineError } from '../engine.js';
import type { Descriptors } from './descriptor.js';
import { Emitter } from './emitter.js';
import { kernelOf } from './kernels/index.js';
import type { Runtime } from './runtime.js';
import type { OneDnnState } from './state.js';
import type { Step } from './step.js';
import { StepList } from './step-list.js';
import type { ArenaRegion, Tensor } from './tensor.js';

const updates = new Set(['sgd', 'adam', 'updateStatistics']);

/** A graph as a list of primitives. */
export interface Compiled {
  /** Steps that depend on parameters only: run again when these have changed. */
  readonly prologue: readonly Step[];
  readonly steps: readonly Step[];
  /** Index of the first step of the update. */
  readonly updateStart: number;
  readonly regions: readonly ArenaRegion[];
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly inputs: ReadonlyMap<string, { value: Value; tensor: Tensor }>;
  readonly updatesState: boolean;
  /** Called after each step: what goes on beside them. */
  readonly between: (() => void) | undefined;
  /** Owner of all descriptors of the steps. */
  readonly descriptors: Descriptors;
}

/**
 * Emits every node of the graph, one after the other; the state's layouts are final afterwards.
 * @throws EngineError with the operation, its shapes and the library's own message
 */
export function compileGraph(
  runtime: Runtime,
  graph: Graph,
  state: OneDnnState,
  communicator?: Communicator,
): Compiled {
  const updatesState = graph.nodes.some((node) => updates.has(node.kind));
  const list = new StepList({ updatesState });
  const emitter = new Emitter(runtime, graph, state, list, communicator);
  const { descriptors, inputs } = emitter;
  try {
    state.adopt(graph);
    for (const value of graph.values('input')) emitter.declareInput(value);
    for (const node of graph.nodes as readonly GraphNode[]) kernelOf(node.kind).prepare?.(node, emitter);
    graph.nodes.forEach((node, index) => {
      if (index === graph.updateStart) list.beginUpdate();
      emitter.begin(index);
      emitNode(node, emitter);
    });
    const outputs = new Map([...graph.outputs].map(([name, value]) => [name, emitter.tensor(value)]));
    state.finish();
    const steps = list.finish(outputs);
    const { prologue, regions, updateStart } = list;
    const { between } = emitter;
    return { prologue, steps, updateStart, regions, outputs, inputs, updatesState, descriptors, between };
  } catch (error) {
    descriptors.close();
    throw error;
  }
}

function emitNode(node: Node, emitter: Emitter): void {
  try {
    kernelOf((node as GraphNode).kind).emit(node as never, emitter);
  } catch (error) {
    if (error instanceof EngineError && !error.message.includes(node.name)) {
      throw new EngineError(`${emitter.describe(node.name)}: ${error.message}`, { cause: error });
    }
    throw error;
  }
  for (const output of node.outputs) {
    if (emitter.lacks(output)) throw new Error(`the kernel of ${node.kind} left '${output.name}' undefined`);
  }
}
