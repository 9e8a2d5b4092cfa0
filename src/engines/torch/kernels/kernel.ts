import type { NodeOf, OperationKind } from '../../../graph/ops/index.js';
import type { Emitter } from '../emitter.js';

/** How LibTorch runs one kind of node. */
export interface Kernel<K extends OperationKind> {
  /** Called for every node before the first is emitted; may set places aside. */
  prepare?(node: NodeOf<K>, emitter: Emitter): void;
  /** Appends the calls and defines every output. */
  emit(node: NodeOf<K>, emitter: Emitter): void;
}
