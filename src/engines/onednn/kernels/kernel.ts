import type { NodeOf, OperationKind } from '../../../graph/ops/index.js';
import type { Emitter } from '../emitter.js';

/** How oneDNN runs one kind of node. */
export interface Kernel<K extends OperationKind> {
  /** Called for every node before the first is emitted; may set places aside. */
  prepare?(node: NodeOf<K>, emitter: Emitter): void;
  /** Appends the primitives and defines every output. */
  emit(node: NodeOf<K>, emitter: Emitter): void;
}
