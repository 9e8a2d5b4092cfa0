import koffi from 'koffi';

/** A GPU that this machine's driver shows. */
export interface Accelerator {
  /** In PyTorch's words; AMD's bear NVIDIA's name there. */
  readonly device: string;
  readonly name: string;
}

/** The C functions of a driver that count its devices and name them; both makers' are alike. */
interface Driver {
  readonly library: string;
  readonly initialise: string;
  readonly count: string;
  readonly name: string;
}

const drivers: readonly Driver[] = [
  { library: 'libcuda.so.1', initialise: 'cuInit', count: 'cuDeviceGetCount', name: 'cuDeviceGetName' },
  { library: 'libamdhip64.so', initialise: 'hipInit', count: 'hipGetDeviceCount', name: 'hipDeviceGetName' },
];

/** The GPUs of this machine, asked of its drivers: no library of PyTorch's is loaded for it. */
export function accelerators(): Accelerator[] {
  if (process.platform === 'darwin') {
    return process.arch === 'arm64' ? [{ device: 'mps', name: 'Apple GPU' }] : [];
  }
  for (const driver of drivers) {
    const found = devicesOf(driver);
    if (found.length > 0) return found;
  }
  return [];
}

function devicesOf({ library: file, initialise, count, name }: Driver): Accelerator[] {
  try {
    const library = koffi.load(file);
    if ((library.func(initialise, 'int', ['unsigned int'])(0) as number) !== 0) return [];
    const number = new Int32Array(1);
    if ((library.func(count, 'int', ['int *'])(number) as number) !== 0) return [];
    const nameOf = library.func(name, 'int', ['uint8_t *', 'int', 'int']);
    return Array.from({ length: number[0] ?? 0 }, (_, index) => {
      const text = Buffer.alloc(256);
      const named = (nameOf(text, text.length, index) as number) === 0;
      const end = text.indexOf(0);
      return { device: `cuda:${index}`, name: named ? text.toString('utf8', 0, end) : 'GPU' };
    });
  } catch {
    // no such driver here
    return [];
  }
}

// CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR of cuda.h
const capabilityMajor = 75;

/** Whether an NVIDIA GPU has bf16 of its own: from compute capability 8 on. False where the driver does not say. */
export function cudaHasBf16(device: string): boolean {
  const [, index = '0'] = /^cuda(?::(\d+))?$/.exec(device) ?? [];
  try {
    const driver = koffi.load('libcuda.so.1');
    if ((driver.func('cuInit', 'int', ['unsigned int'])(0) as number) !== 0) return false;
    const [handle, major] = [new Int32Array(1), new Int32Array(1)];
    const get = driver.func('cuDeviceGet', 'int', ['int *', 'int']);
    if ((get(handle, Number(index)) as number) !== 0) return false;
    const ask = driver.func('cuDeviceGetAttribute', 'int', ['int *', 'int', 'int']);
    return (ask(major, capabilityMajor, handle[0]) as number) === 0 && (major[0] ?? 0) >= 8;
  } catch {
    // not NVIDIA's
    return false;
  }
}
