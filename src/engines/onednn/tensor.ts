import type { Descriptor } from './descriptor.js';
import type { Handle } from './ffi.js';
import type { NativeMemory } from './native-memory.js';

/** A piece of the arena. Its offset is known once the plan is made. */
export interface ArenaRegion {
  readonly kind: 'arena';
  size: number;
  /** Steps, first and last, at which it holds something; -1 before anything touched it. */
  first: number;
  last: number;
  /** Holds its content from one run to the next: constants, prepared weights. */
  persistent: boolean;
  offset: number;
}

/** The place of a parameter, gradient, statistic or optimizer state in its flat buffer. */
export interface FlatPlace {
  readonly kind: 'flat';
  readonly flat: FlatBuffer;
  readonly slot: { offset: number };
}

/** What the host hands over at each run. */
export interface InputPlace {
  readonly kind: 'input';
  readonly name: string;
  /** Small inputs are copied here; large ones are read where they lie. */
  readonly copy: ArenaRegion | undefined;
}

export type Place = ArenaRegion | FlatPlace | InputPlace;

/** All parameters of a model (or their gradients, ...) one behind the other. */
export interface FlatBuffer {
  memory: NativeMemory | undefined;
}

/** A value as the engine holds it: where, from which byte on, and in which layout. */
export interface Tensor {
  readonly descriptor: Descriptor;
  readonly place: Place;
  /** Bytes from the start of the place. */
  readonly offset: number;
}

/** The region of the arena that a tensor lies in, if it does. */
export function regionOf(tensor: Tensor): ArenaRegion | undefined {
  if (tensor.place.kind === 'arena') return tensor.place;
  return tensor.place.kind === 'input' ? tensor.place.copy : undefined;
}

/** Where a tensor lies once everything is laid out; 0 for an input that is bound at each run. */
export function addressIn(tensor: Tensor, arena: NativeMemory | undefined): Handle {
  const region = regionOf(tensor);
  if (region && arena) return arena.address + region.offset + tensor.offset;
  if (tensor.place.kind === 'flat') {
    const { memory } = tensor.place.flat;
    if (!memory) throw new Error('a flat buffer is used before it is laid out');
    return memory.address + tensor.place.slot.offset + tensor.offset;
  }
  return 0;
}

/** The memory object behind a tensor and the byte at which it starts there, for host code. */
export function hostPlace(tensor: Tensor, arena: NativeMemory): { memory: NativeMemory; offset: number } {
  const region = regionOf(tensor);
  if (region) return { memory: arena, offset: region.offset + tensor.offset };
  if (tensor.place.kind === 'flat' && tensor.place.flat.memory) {
    return { memory: tensor.place.flat.memory, offset: tensor.place.slot.offset + tensor.offset };
  }
  throw new Error('host code reads an input that is not copied');
}
