import type { Graph, Node, Value } from '../../graph/graph.js';
import type { GraphNode } from '../../graph/ops/index.js';
import type { Communicator } from '../../parallel/communicator.js';
import { Emitter } from './emitter.js';
import { kernelOf } from './kernels/index.js';
import type { TorchState } from './state.js';
import type { Slot, Step, Upload } from './step.js';
import type { Tensors } from './tensors.js';

/** A graph as a list of calls. */
export interface Compiled {
  readonly graph: Graph;
  /** Steps that depend on parameters only: run again when these have changed. */
  readonly prologue: readonly Step[];
  readonly steps: readonly Step[];
  readonly uploads: readonly Upload[];
  /** Tensors that are the program's own. */
  readonly owned: readonly Slot[];
  readonly outputs: ReadonlyMap<string, { readonly value: Value; readonly slot: Slot }>;
  readonly inputs: readonly Value[];
  readonly updatesState: boolean;
  /** Called after each step: what goes on beside them. */
  readonly between: (() => void) | undefined;
  describe(node: number): string;
}

/** Emits every node of the graph, one after the other. */
export function compileGraph(
  tensors: Tensors,
  graph: Graph,
  state: TorchState,
  communicator?: Communicator,
): Compiled {
  state.adopt(graph);
  const emitter = new Emitter(tensors, graph, state, communicator);
  try {
    for (const node of graph.nodes as readonly GraphNode[]) kernelOf(node.kind).prepare?.(node, emitter);
    graph.nodes.forEach((node, index) => {
      emitter.begin(index);
      emitNode(node, emitter);
    });
    const outputs = new Map(
      [...graph.outputs].map(([name, value]) => [name, { value, slot: emitter.slot(value) }]),
    );
    const { prologue, steps, uploads, owned, updatesState, between } = emitter;
    const inputs = graph.values('input');
    const describe = (node: number): string => emitter.describe(node);
    return { graph, prologue, steps, uploads, owned, outputs, inputs, updatesState, between, describe };
  } catch (error) {
    for (const slot of emitter.owned) tensors.torch.release(slot.handle);
    throw error;
  }
}

function emitNode(node: Node, emitter: Emitter): void {
  kernelOf((node as GraphNode).kind).emit(node as never, emitter);
  for (const output of node.outputs) {
    if (emitter.lacks(output)) throw new Error(`the kernel of ${node.kind} left '${output.name}' undefined`);
  }
}
