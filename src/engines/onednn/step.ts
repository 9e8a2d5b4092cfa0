import type { Handle } from './ffi.js';
import type { Tensor } from './tensor.js';

/** Plain views that host code works on, in the order of its tensors. */
export interface HostViews {
  floats(index: number): Float32Array;
  ints(index: number): Int32Array;
  bytes(index: number): Uint8Array;
}

/** One run of a oneDNN primitive. */
export interface PrimitiveStep {
  readonly kind: 'primitive';
  readonly name: string;
  readonly descriptor: Handle;
  readonly arguments: ReadonlyArray<readonly [argument: number, tensor: Tensor]>;
  readonly reads: readonly Tensor[];
  /** May hold a tensor that is read as well: the result then replaces it in place. */
  readonly writes: readonly Tensor[];
}

/** A little work that no primitive does, such as the loss. Its tensors are in plain order. */
export interface HostStep {
  readonly kind: 'host';
  readonly name: string;
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
  readonly run: (views: HostViews) => void;
  /** Asked after `run`: true leaves out all steps behind this one. */
  readonly ends?: (views: HostViews) => boolean;
}

export type Step = PrimitiveStep | HostStep;

export function tensorsOf(step: Step): Tensor[] {
  return step.kind === 'primitive'
    ? step.arguments.map(([, tensor]) => tensor)
    : [...step.reads, ...step.writes];
}
