import { type DType, required, type Value } from '../../graph/graph.js';
import type { HostArray } from '../engine.js';
import type { Handle } from './ffi.js';

/** Tensors that share one piece of memory: a tensor and the views of it. */
export interface Storage {
  readonly slots: Set<Slot>;
}

/** A place for a tensor's handle while a program runs. */
export interface Slot {
  /** 0 while there is none. */
  handle: Handle;
  /** Owned by the program or the state for longer than a run; never given away. */
  readonly fixed: boolean;
  /** Made by a step of the prologue: stays until the parameters change. */
  kept: boolean;
  readonly storage: Storage;
  readonly bytes: number;
}

/** Numbers that the host hands to a step when it runs. */
export type HostInputs = Readonly<Record<string, HostArray>>;

/** The number that the host hands over as an input of shape [1]. */
export function scalar(inputs: HostInputs, value: Value | undefined): number {
  const { name } = required([value], 0, 'a step');
  return required([inputs[name]?.[0]], 0, name);
}

/** An argument of an operation as its schema has it. */
export type StepArgument =
  | { readonly kind: 'tensor'; readonly slot: Slot }
  | {
      readonly kind: 'tensors';
      readonly slots: readonly Slot[];
      /** Whether a run hands them over or an empty list. */
      readonly when?: (inputs: HostInputs) => boolean;
    }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number | ((inputs: HostInputs) => number) }
  | { readonly kind: 'ints'; readonly values: readonly number[] }
  | { readonly kind: 'none' }
  /** Of an argument that may be left out. */
  | { readonly kind: 'some'; readonly of: StepArgument };

export const tensor = (slot: Slot): StepArgument => ({ kind: 'tensor', slot });
export const tensors = (...slots: Slot[]): StepArgument => ({ kind: 'tensors', slots });
export const int = (value: number): StepArgument => ({ kind: 'int', value });
export const flag = (value: boolean): StepArgument => ({ kind: 'int', value: value ? 1 : 0 });
export const float = (value: number | ((inputs: HostInputs) => number)): StepArgument => ({
  kind: 'float',
  value,
});
export const ints = (values: readonly number[]): StepArgument => ({ kind: 'ints', values });
/** Whether each of several results is wanted. */
export const mask = (...wanted: boolean[]): StepArgument => ints(wanted.map(Number));
export const none: StepArgument = { kind: 'none' };
export const some = (of: StepArgument): StepArgument => ({ kind: 'some', of });

/** An operation of the dispatcher. */
export interface DispatchStep {
  readonly kind: 'dispatch';
  /** Without its namespace, which is `aten`. */
  readonly operation: string;
  readonly overload: string;
  readonly args: readonly StepArgument[];
  /** Where each result goes; undefined: nowhere. */
  readonly results: ReadonlyArray<Slot | undefined>;
}

/** Something that the dispatcher has no call for; reads and writes are named, so that lifetimes are known. */
export interface DirectStep {
  readonly kind: 'direct';
  readonly reads: readonly Slot[];
  /** Tensors made by it. */
  readonly makes: readonly Slot[];
  run(inputs: HostInputs): void;
  /** Asked after it has run: true leaves out all steps behind this one. */
  readonly ends?: () => boolean;
}

export type Step = (DispatchStep | DirectStep) & {
  /** Index of the node that it is part of. */
  readonly node: number;
};

export function readsOf(step: Step): Slot[] {
  return step.kind === 'direct' ? [...step.reads] : step.args.flatMap(slotsOf);
}

export function makesOf(step: Step): Slot[] {
  return step.kind === 'direct' ? [...step.makes] : step.results.filter((slot) => slot !== undefined);
}

function slotsOf(argument: StepArgument): readonly Slot[] {
  switch (argument.kind) {
    case 'tensor':
      return [argument.slot];
    case 'tensors':
      return argument.slots;
    case 'some':
      return slotsOf(argument.of);
    default:
      return [];
  }
}

/** A tensor that is written from the host at the start of every run. */
export interface Upload {
  readonly slot: Slot;
  readonly shape: readonly number[];
  readonly dtype: DType;
  make(inputs: HostInputs): HostArray;
}
