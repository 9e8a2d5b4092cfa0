import koffi from 'koffi';
import type { DType } from '../../graph/graph.js';
import type { Communicator, FloatRange } from '../../parallel/communicator.js';
import type { HostArray } from '../engine.js';
import type { Device } from './device.js';
import type { Handle, Torch } from './ffi.js';

/** What a tensor's memory looks like. */
export interface Layout {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly dtype: DType;
}

/** Makes tensors on one device and moves numbers between it and the host. Who makes a tensor releases it. */
export class Tensors {
  constructor(
    readonly torch: Torch,
    readonly device: Device,
    /** The queue that its work goes to, where it is NVIDIA's. */
    readonly streamOf?: (() => bigint) | undefined,
  ) {}

  code(dtype: DType): number {
    if (dtype === 'opaque') throw new Error('an opaque value has no element type');
    return this.torch.codes[dtype];
  }

  empty({ shape, strides, dtype }: Layout): Handle {
    const { type, index } = this.device;
    const [sizes, steps] = [int64s(shape), int64s(strides)];
    return this.torch.create(
      'aoti_torch_empty_strided',
      ...[shape.length, sizes, steps, this.code(dtype), type, index],
    );
  }

  /** Zeros of a flat buffer. */
  zeros(count: number, dtype: DType = 'f32'): Handle {
    const tensor = this.empty({ shape: [count], strides: [1], dtype });
    this.torch.call('aoti_torch_zero_', tensor);
    return tensor;
  }

  filled(shape: readonly number[], value: number, dtype: DType = 'f32'): Handle {
    const tensor = this.empty({ shape, strides: plainStrides(shape), dtype });
    this.fill(tensor, value);
    return tensor;
  }

  fill(tensor: Handle, value: number): void {
    this.torch.call('aoti_torch_aten_fill__Scalar', tensor, value);
  }

  /** NaN everywhere, where the type of element has one. */
  poison(tensor: Handle): void {
    const dtype = new Int32Array(1);
    this.torch.call('aoti_torch_get_dtype', tensor, dtype);
    const { f32, bf16, f16 } = this.torch.codes;
    if ([f32, bf16, f16].includes(dtype[0] ?? -1)) this.fill(tensor, Number.NaN);
  }

  /** Another tensor on the same memory. @param offset elements from its start */
  view(base: Handle, { shape, strides }: Omit<Layout, 'dtype'>, offset = 0): Handle {
    return this.torch.create(
      'aoti_torch__reinterpret_tensor',
      ...[base, shape.length, int64s(shape), int64s(strides), offset],
    );
  }

  copy(to: Handle, from: Handle): void {
    this.torch.call('aoti_torch_copy_', to, from, 0);
  }

  /** Writes numbers that lie in the plain order of their shape, whatever strides and element type the tensor has. */
  upload(to: Handle, data: HostArray, shape: readonly number[]): void {
    const host = this.#onHost(data, shape);
    try {
      if (this.device.host) this.copy(to, host);
      else this.#uploadPinned(to, host, data, shape);
    } finally {
      this.torch.release(host);
    }
  }

  /** Reads a tensor into an array in the plain order of its shape; waits for the device. */
  download(from: Handle, into: Float32Array, shape: readonly number[]): void {
    const host = this.#onHost(into, shape);
    try {
      this.copy(host, from);
    } finally {
      this.torch.release(host);
    }
  }

  /** Adds a tensor of plain order up over all members: where it lies if they reach it there, otherwise in a copy. */
  allReduce(tensor: Handle, communicator: Communicator): void {
    const floats = this.floatsOf(tensor);
    const { length } = floats;
    if (this.device.host) {
      communicator.allReduce(floats);
      return;
    }
    if (this.streamOf && communicator.allReduceOnDevice) {
      communicator.allReduceOnDevice({ ...floats, stream: this.streamOf() });
      return;
    }
    const copy = new Float32Array(length);
    this.download(tensor, copy, [length]);
    communicator.allReduce(copy);
    this.upload(tensor, copy, [length]);
  }

  /** Where the floats of a tensor lie. */
  floatsOf(tensor: Handle): FloatRange {
    const count = new BigInt64Array(1);
    this.torch.call('aoti_torch_get_numel', tensor, count);
    return { address: this.#addressOf(tensor), length: Number(count[0]) };
  }

  #addressOf(tensor: Handle): bigint {
    const address = new BigUint64Array(1);
    this.torch.call('aoti_torch_get_data_ptr', tensor, address);
    return address[0] ?? 0n;
  }

  /**
   * By way of page-locked memory, from which the device fetches while the host goes on. LibTorch keeps such memory
   * until the copy is done and gives it out again for the next.
   */
  #uploadPinned(to: Handle, host: Handle, data: HostArray, shape: readonly number[]): void {
    const { torch } = this;
    const pinned = torch.create(
      'aoti_torch_empty_strided_pinned',
      ...[shape.length, int64s(shape), int64s(plainStrides(shape)), codeOf(torch, data), torch.codes.cpu, -1],
    );
    try {
      this.copy(pinned, host);
      torch.call('aoti_torch_copy_', to, pinned, 1);
    } finally {
      torch.release(pinned);
    }
  }

  #onHost(data: HostArray, shape: readonly number[]): Handle {
    const { torch } = this;
    return torch.create(
      'aoti_torch_create_tensor_from_blob',
      ...[addressOf(data), shape.length, int64s(shape), int64s(plainStrides(shape)), 0],
      ...[codeOf(torch, data), torch.codes.cpu, -1],
    );
  }
}

function plainStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const extent of shape.toReversed()) {
    strides.unshift(step);
    step *= extent;
  }
  return strides;
}

/** Channels last for everything shaped like pictures: the faster order in PyTorch's kernels, on CPUs and GPUs. */
export function preferredStrides(shape: readonly number[]): number[] {
  const [, channels, height, width] = shape;
  if (shape.length !== 4 || channels === undefined || height === undefined || width === undefined) {
    return plainStrides(shape);
  }
  return [channels * height * width, 1, width * channels, channels];
}

function codeOf({ codes }: Torch, data: HostArray): number {
  return data instanceof Int32Array ? codes.i32 : codes.f32;
}

function int64s(values: readonly number[]): BigInt64Array {
  // never empty: an empty array has no address
  return BigInt64Array.from(values.length ? values : [0], BigInt);
}

function addressOf(array: HostArray): number {
  // V8 keeps small arrays where it may move them, until their buffer has been asked for
  if (array.buffer.byteLength === 0) return 0;
  return Number(koffi.address(array as unknown as object));
}
