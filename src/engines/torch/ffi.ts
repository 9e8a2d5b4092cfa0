import koffi from 'koffi';
import { UserError } from '../../errors.js';
import { EngineError } from '../engine.js';
import { openLibraries } from './libraries.js';
import { oldestVersion } from './version.js';

/** A tensor, list or device guard of LibTorch: its address, which fits into a double. 0 is none. */
export type Handle = number;

const p = 'uintptr_t';
const out = 'void *';
const int64s = 'const void *';

/** Argument types of the functions of LibTorch's stable C ABI that are used; each gives 0 or an error. */
const signatures = {
  torch_call_dispatcher: ['const char *', 'const char *', 'void *', 'uint64_t'],
  torch_new_stable_ivalue: [out],
  torch_new_list_reserve_size: ['size_t', out],
  torch_list_push_back: [p, 'int64_t'],
  torch_parse_device_string: ['const char *', out, out],
  aoti_torch_new_tensor_handle: [p, out],
  aoti_torch_delete_tensor_object: [p],
  aoti_torch_create_tensor_from_blob: [
    ...[p, 'int64_t', int64s, int64s, 'int64_t', 'int32_t', 'int32_t', 'int32_t', out],
  ],
  aoti_torch_empty_strided: ['int64_t', int64s, int64s, 'int32_t', 'int32_t', 'int32_t', out],
  aoti_torch_empty_strided_pinned: ['int64_t', int64s, int64s, 'int32_t', 'int32_t', 'int32_t', out],
  aoti_torch__reinterpret_tensor: [p, 'int64_t', int64s, int64s, 'int64_t', out],
  aoti_torch_copy_: [p, p, 'int32_t'],
  aoti_torch_zero_: [p],
  aoti_torch_get_dtype: [p, out],
  aoti_torch_get_data_ptr: [p, out],
  aoti_torch_get_numel: [p, out],
  aoti_torch_aten_fill__Scalar: [p, 'double'],
  aoti_torch_aten_subtract_Tensor: [p, p, 'double', out],
} as const;

export type FunctionName = keyof typeof signatures;
export type Argument =
  | number
  | bigint
  | string
  | null
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array;

/** What of LibTorch counts as a number that only it knows: asked once. */
export interface Codes {
  readonly f32: number;
  readonly bf16: number;
  readonly f16: number;
  readonly i32: number;
  readonly i64: number;
  readonly u8: number;
  readonly strided: number;
  readonly contiguous: number;
  readonly channelsLast: number;
  readonly cpu: number;
}

/** LibTorch's stable C ABI, bound. */
export interface Torch {
  /** Folder with lib/ and include/. */
  readonly folder: string;
  readonly version: string;
  readonly codes: Codes;
  /** Handles that were handed out and neither given back nor consumed by a call. */
  readonly live: number;
  /** Calls a function; throws what it said when it fails. */
  call(name: FunctionName, ...args: Argument[]): void;
  /** As {@link call}, for a function that gives a new handle through `out` (the last one free). */
  create(name: FunctionName, ...args: Argument[]): Handle;
  /** Calls an operation of the dispatcher; `stack` holds arguments, then results. Throws what it said. */
  dispatch(operation: string, overload: string, stack: Uint32Array): void;
  /** A second handle on the same tensor. */
  share(tensor: Handle): Handle;
  release(tensor: Handle): void;
  /** Books handles that a call has taken over (negative) or handed out. */
  count(change: number): void;
  /** A new owned box with one value, for arguments that may be left out. */
  box(low: number, high: number): Handle;
  /** Threads of operations that the calling thread starts. */
  setThreads(count: number): void;
}

/**
 * Loads LibTorch from its folder into the calling thread.
 * @param device what it will compute on: a CUDA or ROCm device needs one library more
 * @throws UserError it cannot be loaded, or is too old
 */
export function bindTorch(folder: string, device = 'cpu'): Torch {
  const library = openLibraries(folder, device);
  const abi = abiVersion(library, folder);
  const functions = {} as Record<FunctionName, (...args: Argument[]) => number>;
  for (const name of Object.keys(signatures) as FunctionName[]) {
    functions[name] = library.func(name, 'int32_t', [...signatures[name]]) as (...args: Argument[]) => number;
  }
  const lastError = library.func('torch_exception_get_what_without_backtrace', 'const char *', []);
  const gradients = library.func('aoti_torch_grad_mode_set_enabled', 'void', ['bool']);
  const copyBytes = koffi
    .load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6')
    .func('void *memcpy(uintptr_t, const void *, size_t)');
  // nothing is recorded: the graph holds its own gradients
  gradients(false);

  const dispatcher = functions.torch_call_dispatcher;
  const { aoti_torch_new_tensor_handle: newHandle, aoti_torch_delete_tensor_object: deleteHandle } =
    functions;
  const result = new Uint32Array(2);
  const boxed = new Uint32Array(2);
  let live = 0;
  const fail = (what: string): never => {
    throw new EngineError(`${what}: ${firstLine(lastError() as string | null)}`);
  };
  return {
    folder,
    version: abi.version,
    codes: readCodes(library),
    get live() {
      return live;
    },
    call(name, ...args) {
      if (functions[name](...args) !== 0) fail(name);
    },
    create(name, ...args) {
      if (functions[name](...args, result) !== 0) fail(name);
      live += 1;
      return fromWords(result, 0);
    },
    dispatch(operation, overload, stack) {
      if (dispatcher(operation, overload, stack, abi.code) !== 0) {
        fail(overload ? `${operation}.${overload}` : operation);
      }
    },
    share(tensor) {
      if (newHandle(tensor, result) !== 0) fail('aoti_torch_new_tensor_handle');
      live += 1;
      return fromWords(result, 0);
    },
    release(tensor) {
      live -= 1;
      if (deleteHandle(tensor) !== 0) fail('aoti_torch_delete_tensor_object');
    },
    count(change) {
      live += change;
    },
    box(low, high) {
      if (functions.torch_new_stable_ivalue(result) !== 0) fail('torch_new_stable_ivalue');
      live += 1;
      const address = fromWords(result, 0);
      boxed[0] = low;
      boxed[1] = high;
      copyBytes(address, boxed, 8);
      return address;
    },
    setThreads: (count) => setThreads(library, count),
  };
}

/** The address in two 32-bit words at `index`. */
export function fromWords(words: Uint32Array, index: number): Handle {
  return (words[index] as number) + (words[index + 1] as number) * 2 ** 32;
}

function abiVersion(library: koffi.IKoffiLib, folder: string): { code: bigint; version: string } {
  let code: bigint;
  try {
    code = BigInt(library.func('uint64_t aoti_torch_abi_version()')() as number | bigint);
    library.func('const char *torch_exception_get_what_without_backtrace()');
  } catch (error) {
    throw tooOld(folder, undefined, error);
  }
  const [major, minor, patch] = [56n, 48n, 40n].map((shift) => Number((code >> shift) & 0xffn));
  const version = `${major}.${minor}.${patch}`;
  const { major: least, minor: leastMinor } = oldestVersion;
  if ((major ?? 0) * 1000 + (minor ?? 0) < least * 1000 + leastMinor) throw tooOld(folder, version);
  return { code, version };
}

function tooOld(folder: string, version: string | undefined, cause?: unknown): UserError {
  const { major, minor } = oldestVersion;
  return new UserError(
    `the LibTorch in ${folder} is too old${version ? ` (${version})` : ''}: ${major}.${minor} or later is needed`,
    {
      hint: `install it (pip install "torch>=${major}.${minor}"), or run \`resnode setup --engine torch\``,
      cause,
    },
  );
}

function readCodes(library: koffi.IKoffiLib): Codes {
  const code = (name: string): number => library.func(`int32_t aoti_torch_${name}()`)() as number;
  return {
    f32: code('dtype_float32'),
    bf16: code('dtype_bfloat16'),
    f16: code('dtype_float16'),
    i32: code('dtype_int32'),
    i64: code('dtype_int64'),
    u8: code('dtype_uint8'),
    strided: code('layout_strided'),
    contiguous: code('memory_format_contiguous_format'),
    channelsLast: code('memory_format_channels_last'),
    cpu: code('device_type_cpu'),
  };
}

/** The stable ABI can ask for the number of threads but not set it: ATen's own function, else OpenMP's. */
function setThreads(library: koffi.IKoffiLib, count: number): void {
  for (const set of ['void _ZN2at15set_num_threadsEi(int)', 'void omp_set_num_threads(int)']) {
    try {
      library.func(set)(count);
      return;
    } catch {
      // not exported by this build: it follows OMP_NUM_THREADS then
    }
  }
}

/** An exception's own words, without the hints that follow over many lines. */
function firstLine(text: string | null): string {
  return (text ?? 'no reason given').split('\n')[0] ?? '';
}
