import { check, create, type Descriptor, Descriptors } from './descriptor.js';
import { arg, type Handle, type OneDnn } from './ffi.js';
import { addressOf, type NativeMemory } from './native-memory.js';
import { addressIn, type Tensor } from './tensor.js';

/** The library with its CPU engine and stream. */
export class Runtime {
  readonly engine: Handle;
  readonly stream: Handle;

  constructor(readonly library: OneDnn) {
    this.engine = create(library, 'CPU engine', 'dnnl_engine_create', 1, 0);
    this.stream = create(library, 'stream', 'dnnl_stream_create', this.engine, 1);
  }

  /** Copies a tensor of a flat buffer into an array, in the order of `plain`. */
  reorderToHost(from: Tensor, plain: Descriptor, to: Float32Array, arena?: NativeMemory): void {
    this.#reorder(from.descriptor, addressIn(from, arena), plain, addressOf(to));
  }

  /** Copies an array, in the order of `plain`, into a tensor of a flat buffer. */
  reorderFromHost(from: Float32Array, plain: Descriptor, to: Tensor): void {
    this.#reorder(plain, addressOf(from), to.descriptor, addressIn(to, undefined));
  }

  close(): void {
    this.library.call('dnnl_stream_destroy', this.stream);
    this.library.call('dnnl_engine_destroy', this.engine);
  }

  #reorder(from: Descriptor, fromAddress: Handle, to: Descriptor, toAddress: Handle): void {
    const owned = new Descriptors(this.library);
    const { engine } = this;
    try {
      const descriptor = owned.own(
        'reorder',
        'dnnl_primitive_desc_destroy',
        'dnnl_reorder_primitive_desc_create',
        from.handle,
        engine,
        to.handle,
        engine,
        0,
      );
      const primitive = owned.own('reorder', 'dnnl_primitive_destroy', 'dnnl_primitive_create', descriptor);
      const memory = (described: Descriptor, address: Handle): Handle =>
        owned.own('memory', 'dnnl_memory_destroy', 'dnnl_memory_create', described.handle, engine, address);
      const list = argumentList([
        [arg.source, memory(from, fromAddress)],
        [arg.destination, memory(to, toAddress)],
      ]);
      check('reorder', this.library.call('dnnl_primitive_execute', primitive, this.stream, 2, list));
      this.library.call('dnnl_stream_wait', this.stream);
    } finally {
      owned.close();
    }
  }
}

/** An array of dnnl_exec_arg_t: {int32 argument, padding, pointer to the memory object}. */
export function argumentList(
  list: ReadonlyArray<readonly [argument: number, memory: Handle]>,
): BigUint64Array {
  const records = new BigUint64Array(list.length * 2);
  list.forEach(([argument, memory], index) => {
    records[index * 2] = BigInt(argument);
    records[index * 2 + 1] = BigInt(memory);
  });
  return records;
}
