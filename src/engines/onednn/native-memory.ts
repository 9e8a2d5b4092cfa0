import koffi from 'koffi';
import { UserError } from '../../errors.js';
import type { Handle } from './ffi.js';

const hugePage = 2 * 1024 * 1024;

interface Libc {
  mmap(
    address: number,
    length: number,
    protection: number,
    flags: number,
    file: number,
    offset: number,
  ): Handle;
  munmap(address: Handle, length: number): number;
  madvise(address: Handle, length: number, advice: number): number;
  memset(address: Handle, byte: number, length: number): Handle;
}

let libc: Libc | undefined;

function loadLibc(): Libc {
  if (libc) return libc;
  const library = koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6');
  libc = {
    mmap: library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, int64_t)'),
    munmap: library.func('int munmap(uintptr_t, size_t)'),
    madvise: library.func('int madvise(uintptr_t, size_t, int)'),
    memset: library.func('uintptr_t memset(uintptr_t, int, size_t)'),
  };
  return libc;
}

/**
 * Memory outside of V8's heap, zeroed, on huge pages where the system gives them (touching new memory in small
 * pages can cost seconds). Whoever made it closes it.
 */
export class NativeMemory {
  /** Aligned to a huge page. */
  readonly address: Handle;
  readonly size: number;
  readonly #mapped: { address: Handle; length: number };
  readonly #buffer: ArrayBuffer;
  #closed = false;

  /** @param size bytes */
  constructor(size: number) {
    const { mmap, madvise, munmap } = loadLibc();
    this.size = Math.max(hugePage, Math.ceil(size / hugePage) * hugePage);
    const length = this.size + hugePage;
    const anonymous = process.platform === 'darwin' ? 0x1002 : 0x22;
    const address = mmap(0, length, 3, anonymous, -1, 0);
    if (address <= 0 || address > Number.MAX_SAFE_INTEGER) {
      throw new UserError(`no memory for ${Math.ceil(size / 1e6)} MB of activations and parameters`, {
        hint: 'use a smaller batch or crop, or close other programs',
      });
    }
    this.address = Math.ceil(address / hugePage) * hugePage;
    this.#mapped = { address, length };
    if (process.platform === 'linux') madvise(this.address, this.size, 14);
    try {
      const pointer = koffi.decode(new BigUint64Array([BigInt(this.address)]), 'void *') as unknown;
      this.#buffer = koffi.view(pointer, this.size);
    } catch (error) {
      munmap(address, length);
      throw error;
    }
  }

  floats(offset: number, count: number): Float32Array {
    return new Float32Array(this.#buffer, offset, count);
  }

  ints(offset: number, count: number): Int32Array {
    return new Int32Array(this.#buffer, offset, count);
  }

  bytes(offset: number, count: number): Uint8Array {
    return new Uint8Array(this.#buffer, offset, count);
  }

  /** Fills a region with one byte; 0xff makes every float of it a NaN. */
  fill(offset: number, count: number, byte: number): void {
    loadLibc().memset(this.address + offset, byte, count);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    loadLibc().munmap(this.#mapped.address, this.#mapped.length);
  }
}

/** Address of an array's first element. Only for arrays that do not move: views of shared memory. */
export function addressOf(array: ArrayBufferView): Handle {
  return Number(koffi.address(array as unknown as object));
}
