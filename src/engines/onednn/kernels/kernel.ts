import type { NodeOf, OperationKind } from '../../../graph/ops/index.js';
import type { Compiler } from '../compiler.js';

/** How oneDNN runs one kind of node. */
export interface Kernel<K extends OperationKind> {
  /** Called for every node before the first is emitted; may set places aside. */
  prepare?(node: NodeOf<K>, compiler: Compiler): void;
  /** Appends the primitives and defines every output. */
  emit(node: NodeOf<K>, compiler: Compiler): void;
}
