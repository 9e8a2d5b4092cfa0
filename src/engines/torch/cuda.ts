import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import type { Gpu } from '../../parallel/nccl/join.js';
import { EngineError } from '../engine.js';

/** What LibTorch for CUDA says of one GPU beyond its stable ABI for all devices. Written against its header. */
export class CudaDevice implements Gpu {
  readonly identity: string;
  readonly nccl: readonly string[];
  readonly #index: number;
  readonly #library: koffi.IKoffiLib;
  readonly #streamOf: (index: number, out: BigUint64Array) => number;
  #guard: bigint | undefined;

  private constructor(folder: string, library: string, index: number) {
    this.#index = index;
    this.identity = uuidOf(index) ?? `${hostname()} ${index}`;
    this.nccl = ncclFiles(folder);
    this.#library = koffi.load(library);
    this.#streamOf = this.#func('aoti_torch_get_current_cuda_stream', 'int32_t', 'void *');
  }

  /** @returns undefined for a LibTorch that was not built for CUDA */
  static open(folder: string, index: number): CudaDevice | undefined {
    const library = join(folder, 'lib', 'libtorch_cuda.so');
    return existsSync(library) ? new CudaDevice(folder, library, index) : undefined;
  }

  /** The queue that LibTorch's work goes to, from this thread. */
  currentStream(): bigint {
    const stream = new BigUint64Array(1);
    this.#check('aoti_torch_get_current_cuda_stream', this.#streamOf(this.#index, stream));
    return stream[0] ?? 0n;
  }

  makeCurrent(): void {
    if (this.#guard !== undefined) return;
    const guard = new BigUint64Array(1);
    const create = this.#func('aoti_torch_create_cuda_guard', 'int32_t', 'void *');
    this.#check('aoti_torch_create_cuda_guard', create(this.#index, guard));
    this.#guard = guard[0];
  }

  close(): void {
    if (this.#guard === undefined) return;
    this.#func('aoti_torch_delete_cuda_guard', 'uintptr_t')(this.#guard);
    this.#guard = undefined;
  }

  #func(name: string, ...types: string[]): (...args: unknown[]) => number {
    return this.#library.func(name, 'int32_t', types) as (...args: unknown[]) => number;
  }

  #check(name: string, status: number): void {
    if (status !== 0) throw new EngineError(`${name} has failed for cuda:${this.#index}`);
  }
}

/** Beside LibTorch, as NVIDIA's wheels or an archive have it, or wherever the loader finds it. */
export function ncclFiles(folder: string, chosen: string | undefined = process.env.RESNODE_NCCL): string[] {
  if (chosen) return [chosen];
  const name = 'libnccl.so.2';
  const beside = [join(dirname(folder), 'nvidia', 'nccl', 'lib', name), join(folder, 'lib', name)];
  return [...beside.filter((file) => existsSync(file)), name];
}

/** The same for a GPU in every process, whatever number it has there. */
function uuidOf(index: number): string | undefined {
  try {
    const driver = koffi.load('libcuda.so.1');
    const device = new Int32Array(1);
    const uuid = new Uint8Array(16);
    const get = driver.func('cuDeviceGet', 'int', ['void *', 'int']);
    const ask = driver.func('cuDeviceGetUuid', 'int', ['void *', 'int']);
    if ((get(device, index) as number) !== 0 || (ask(uuid, device[0]) as number) !== 0) return undefined;
    return Buffer.from(uuid).toString('hex');
  } catch {
    // a driver without it
    return undefined;
  }
}
