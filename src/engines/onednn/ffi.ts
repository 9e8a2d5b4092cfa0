import koffi from 'koffi';
import { UserError } from '../../errors.js';

/** A native handle or address; both fit into a double (48-bit user space). 0 is null. */
export type Handle = number;

// Numbers from oneDNN 3's dnnl_types.h; they are part of its stable C interface.
export const prop = { training: 64, inference: 96, backward: 128, backwardData: 160 } as const;

export const algorithm = {
  convolutionDirect: 1,
  relu: 0x20,
  reluByResult: 0x100,
  sqrt: 37,
  linear: 38,
  maxPool: 0x1ff,
  avgPoolIncludePadding: 0x2ff,
  avgPoolExcludePadding: 0x3ff,
  add: 0x1fff0,
  multiply: 0x1fff1,
  maximum: 0x1fff2,
  minimum: 0x1fff3,
  divide: 0x1fff4,
  reductionSum: 0x2fff4,
  logSoftmax: 0x30001,
} as const;

export const normFlags = { globalStatistics: 1, scale: 2, shift: 4, relu: 8 } as const;

export const query = {
  implementation: 8,
  source: 129,
  diffSource: 130,
  weights: 131,
  diffWeights: 132,
  destination: 133,
  diffDestination: 134,
  workspace: 135,
  scratchpad: 136,
} as const;

export const dataTypes = { f16: 1, bf16: 2, f32: 3, i32: 4, u8: 6 } as const;

export const formatTags = {
  any: 1,
  a: 2,
  ab: 3,
  abc: 4,
  ba: 14,
  nchw: 5,
  goihw: 6,
  nhwc: 22,
  nChw8c: 102,
  nChw16c: 78,
} as const;

/** Which argument of a primitive a memory is. */
export const arg = {
  source: 1,
  source1: 2,
  destination: 17,
  weights: 33,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  workspace: 64,
  scratchpad: 80,
  diffSource: 129,
  diffDestination: 145,
  diffWeights: 161,
  diffBias: 169,
  diffScale: 255,
  diffShift: 256,
  postOpSource1: (index: number): number => (32768 * (index + 1)) | 2,
} as const;

const statusTexts = [
  'success',
  'out of memory',
  'invalid arguments',
  'unimplemented on this CPU',
  'last implementation reached',
  'runtime error',
  'not required',
];

export function statusText(status: number): string {
  return statusTexts[status] ?? `status ${status}`;
}

const p = 'uintptr_t';
const out = 'uint64_t *';
const dims = 'const int64_t *';

/** Argument types of each function used; handles are plain addresses, results come back through `uint64_t *`. */
const signatures = {
  dnnl_engine_create: [out, 'int', 'size_t'],
  dnnl_engine_destroy: [p],
  dnnl_stream_create: [out, p, 'unsigned int'],
  dnnl_stream_destroy: [p],
  dnnl_stream_wait: [p],
  dnnl_memory_desc_create_with_tag: [out, 'int', dims, 'int', 'int'],
  dnnl_memory_desc_create_with_strides: [out, 'int', dims, 'int', dims],
  dnnl_memory_desc_destroy: [p],
  dnnl_memory_desc_clone: [out, p],
  dnnl_memory_create: [out, p, p, p],
  dnnl_memory_set_data_handle: [p, p],
  dnnl_memory_destroy: [p],
  dnnl_primitive_attr_create: [out],
  dnnl_primitive_attr_destroy: [p],
  dnnl_primitive_attr_set_scratchpad_mode: [p, 'int'],
  dnnl_primitive_attr_set_post_ops: [p, p],
  dnnl_post_ops_create: [out],
  dnnl_post_ops_destroy: [p],
  dnnl_post_ops_append_sum: [p, 'float', 'int32_t', 'int'],
  dnnl_post_ops_append_eltwise: [p, 'int', 'float', 'float'],
  dnnl_post_ops_append_binary: [p, 'int', p],
  dnnl_primitive_desc_destroy: [p],
  dnnl_primitive_desc_query: [p, 'int', 'int', out],
  dnnl_primitive_create: [out, p],
  dnnl_primitive_destroy: [p],
  dnnl_primitive_execute: [p, p, 'int', 'const void *'],
  dnnl_reorder_primitive_desc_create: [out, p, p, p, p, p],
  dnnl_binary_primitive_desc_create: [out, p, 'int', p, p, p, p],
  dnnl_convolution_forward_primitive_desc_create: [
    out,
    p,
    'int',
    'int',
    p,
    p,
    p,
    p,
    dims,
    dims,
    dims,
    dims,
    p,
  ],
  dnnl_convolution_backward_data_primitive_desc_create: [
    out,
    p,
    'int',
    p,
    p,
    p,
    dims,
    dims,
    dims,
    dims,
    p,
    p,
  ],
  dnnl_convolution_backward_weights_primitive_desc_create: [
    out,
    p,
    'int',
    p,
    p,
    p,
    p,
    dims,
    dims,
    dims,
    dims,
    p,
    p,
  ],
  dnnl_eltwise_forward_primitive_desc_create: [out, p, 'int', 'int', p, p, 'float', 'float', p],
  dnnl_eltwise_backward_primitive_desc_create: [out, p, 'int', p, p, p, 'float', 'float', p, p],
  dnnl_softmax_forward_primitive_desc_create: [out, p, 'int', 'int', p, p, 'int', p],
  dnnl_softmax_backward_primitive_desc_create: [out, p, 'int', p, p, p, 'int', p, p],
  dnnl_pooling_forward_primitive_desc_create: [out, p, 'int', 'int', p, p, dims, dims, dims, dims, dims, p],
  dnnl_pooling_backward_primitive_desc_create: [out, p, 'int', p, p, dims, dims, dims, dims, dims, p, p],
  dnnl_prelu_forward_primitive_desc_create: [out, p, 'int', p, p, p, p],
  dnnl_prelu_backward_primitive_desc_create: [out, p, p, p, p, p, p, p, p],
  dnnl_batch_normalization_forward_primitive_desc_create: [out, p, 'int', p, p, 'float', 'unsigned int', p],
  dnnl_batch_normalization_backward_primitive_desc_create: [
    out,
    p,
    'int',
    p,
    p,
    p,
    'float',
    'unsigned int',
    p,
    p,
  ],
  dnnl_inner_product_forward_primitive_desc_create: [out, p, 'int', p, p, p, p, p],
  dnnl_inner_product_backward_data_primitive_desc_create: [out, p, p, p, p, p, p],
  dnnl_inner_product_backward_weights_primitive_desc_create: [out, p, p, p, p, p, p, p],
  dnnl_matmul_primitive_desc_create: [out, p, p, p, p, p, p],
  dnnl_reduction_primitive_desc_create: [out, p, 'int', p, p, 'float', 'float', p],
} as const;

export type FunctionName = keyof typeof signatures;
export type Argument = number | BigInt64Array | BigUint64Array | Uint8Array;

/** oneDNN's C functions, bound. */
export interface OneDnn {
  readonly path: string;
  /** Calls a function and gives its status; 0 is success. */
  call(name: FunctionName, ...args: Argument[]): number;
  memorySize(descriptor: Handle): number;
  sameDescriptor(a: Handle, b: Handle): boolean;
  /** The best instruction set that the library may use, a bit mask: 0x7 AVX2, 0x27 AVX-512. */
  effectiveIsa(): number;
  setThreads(count: number): void;
  /** Text behind the address that a query for the implementation's name gave. */
  text(address: bigint): string;
}

export function bindOneDnn(path: string): OneDnn {
  let library: koffi.IKoffiLib;
  try {
    library = koffi.load(path);
  } catch (error) {
    throw new UserError(`oneDNN at ${path} cannot be loaded: ${(error as Error).message}`, {
      hint: 'run `resnode doctor` to see what is missing',
      cause: error,
    });
  }
  const functions = new Map<FunctionName, (...args: Argument[]) => number>();
  for (const name of Object.keys(signatures) as FunctionName[]) {
    functions.set(name, library.func(name, 'int', [...signatures[name]]));
  }
  const size = library.func('dnnl_memory_desc_get_size', 'size_t', [p]) as (descriptor: Handle) => number;
  const equal = library.func('dnnl_memory_desc_equal', 'int', [p, p]) as (a: Handle, b: Handle) => number;
  const isa = library.func('dnnl_get_effective_cpu_isa', 'int', []) as () => number;
  return {
    path,
    call: (name, ...args) => (functions.get(name) as (...args: Argument[]) => number)(...args),
    memorySize: (descriptor) => size(descriptor),
    sameDescriptor: (a, b) => equal(a, b) !== 0,
    effectiveIsa: () => isa(),
    setThreads: (count) => setOpenMpThreads(count),
    text: (address) => koffi.decode(new BigUint64Array([address]), 'const char *') as string,
  };
}

/** The thread count of OpenMP regions that the calling thread starts. */
function setOpenMpThreads(count: number): void {
  for (const name of ['libgomp.so.1', 'libomp.so.5', 'libomp.dylib', 'libiomp5.so']) {
    try {
      koffi.load(name).func('void omp_set_num_threads(int count)')(count);
      return;
    } catch {
      // another OpenMP runtime, or none: oneDNN then follows OMP_NUM_THREADS
    }
  }
}
