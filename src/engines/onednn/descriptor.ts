import type { DType } from '../../graph/graph.js';
import { EngineError } from '../engine.js';
import {
  type Argument,
  dataTypes,
  type FunctionName,
  formatTags,
  type Handle,
  type OneDnn,
  query,
  statusText,
} from './ffi.js';

export type ElementType = keyof typeof dataTypes;
/** How oneDNN calls a type of the graph; the forward passes' notes are bytes to it. */
export function elementType(dtype: DType): ElementType {
  return dtype === 'opaque' ? 'u8' : dtype;
}

export type FormatTag = keyof typeof formatTags;

/** Calls a function that makes a handle; an error carries what was being made and the library's words. */
export function create(library: OneDnn, what: string, name: FunctionName, ...args: Argument[]): Handle {
  const result = new BigUint64Array(1);
  const status = library.call(name, result, ...args);
  if (status !== 0) throw new EngineError(`${what}: oneDNN says '${statusText(status)}' (${name})`);
  return Number(result[0]);
}

export function check(what: string, status: number): void {
  if (status !== 0) throw new EngineError(`${what}: oneDNN says '${statusText(status)}'`);
}

/** Shape, element type and layout of a tensor. Owned by the {@link Descriptors} that made it. */
export interface Descriptor {
  readonly handle: Handle;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Bytes, padding of the layout included. */
  readonly size: number;
}

/** Makes and owns memory descriptors and primitive descriptors, and closes them all at once. */
export class Descriptors {
  readonly #owned: Array<[FunctionName, Handle]> = [];

  constructor(readonly library: OneDnn) {}

  /** A descriptor in a named layout; `any` leaves the choice to the primitive. */
  make(shape: readonly number[], type: ElementType, tag: FormatTag): Descriptor {
    const what = `layout ${tag} of ${shape.join('x')}`;
    const dims = BigInt64Array.from(shape, BigInt);
    const name = 'dnnl_memory_desc_create_with_tag';
    const handle = create(this.library, what, name, shape.length, dims, dataTypes[type], formatTags[tag]);
    this.#owned.push(['dnnl_memory_desc_destroy', handle]);
    return { handle, shape, type, size: tag === 'any' ? 0 : this.library.memorySize(handle) };
  }

  /** The plain order of a shape: the last axis fastest. */
  plain(shape: readonly number[], type: ElementType): Descriptor {
    const tags: FormatTag[] = ['a', 'a', 'ab', 'abc', 'nchw', 'goihw'];
    return this.make(shape.length ? shape : [1], type, tags[shape.length] ?? 'nchw');
  }

  /** Elements that lie apart by so many each, axis by axis. */
  strided(shape: readonly number[], type: ElementType, strides: readonly number[]): Descriptor {
    const dims = BigInt64Array.from(shape, BigInt);
    const steps = BigInt64Array.from(strides, BigInt);
    const what = `${shape.join('x')} with strides ${strides.join('x')}`;
    const name = 'dnnl_memory_desc_create_with_strides';
    const handle = create(this.library, what, name, shape.length, dims, dataTypes[type], steps);
    this.#owned.push(['dnnl_memory_desc_destroy', handle]);
    return { handle, shape, type, size: this.library.memorySize(handle) };
  }

  /** What a primitive descriptor chose for one of its tensors; undefined where it needs none. */
  chosen(
    primitive: Handle,
    which: keyof typeof query,
    shape: readonly number[],
    type: ElementType,
  ): Descriptor | undefined {
    const result = new BigUint64Array(1);
    const status = this.library.call('dnnl_primitive_desc_query', primitive, query[which], 0, result);
    const borrowed = Number(result[0]);
    if (status !== 0 || borrowed === 0 || this.library.memorySize(borrowed) === 0) return undefined;
    const handle = create(this.library, which, 'dnnl_memory_desc_clone', borrowed);
    this.#owned.push(['dnnl_memory_desc_destroy', handle]);
    return { handle, shape, type, size: this.library.memorySize(handle) };
  }

  same(a: Descriptor, b: Descriptor): boolean {
    return a.handle === b.handle || this.library.sameDescriptor(a.handle, b.handle);
  }

  /** The name of the implementation behind a primitive descriptor, e.g. `jit:avx512_core`. */
  implementation(primitive: Handle): string {
    const result = new BigUint64Array(1);
    check(
      'implementation',
      this.library.call('dnnl_primitive_desc_query', primitive, query.implementation, 0, result),
    );
    return this.library.text(result[0] ?? 0n);
  }

  /** Makes anything else that has to be destroyed with the rest. */
  own(what: string, destroy: FunctionName, name: FunctionName, ...args: Argument[]): Handle {
    const handle = create(this.library, what, name, ...args);
    this.#owned.push([destroy, handle]);
    return handle;
  }

  /** As {@link own}, or undefined where the library has no such implementation. */
  tryOwn(destroy: FunctionName, name: FunctionName, ...args: Argument[]): Handle | undefined {
    const result = new BigUint64Array(1);
    if (this.library.call(name, result, ...args) !== 0) return undefined;
    const handle = Number(result[0]);
    this.#owned.push([destroy, handle]);
    return handle;
  }

  close(): void {
    for (const [destroy, handle] of this.#owned.splice(0).reverse()) this.library.call(destroy, handle);
  }
}
