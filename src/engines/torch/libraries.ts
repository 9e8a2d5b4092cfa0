import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { UserError } from '../../errors.js';

const suffix = process.platform === 'darwin' ? 'dylib' : 'so';

/** Libraries that LibTorch looks for beside itself, in the folders that NVIDIA's wheels make. */
const companions = ['libcudart.so', 'libcupti.so'];

/**
 * Loads what computes on a device, in the order of need, and gives the library with the C functions. A device that
 * is no CPU has its operations in one library more, which enters them into the dispatcher when it is loaded.
 */
export function openLibraries(folder: string, device: string): koffi.IKoffiLib {
  const lib = join(folder, 'lib');
  try {
    preloadCompanions(folder);
    const library = koffi.load(join(lib, `libtorch_cpu.${suffix}`), { global: true });
    if (device.startsWith('cuda')) koffi.load(join(lib, acceleratorLibrary(lib)), { global: true });
    return library;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`LibTorch in ${folder} cannot be loaded: ${(error as Error).message}`, {
      hint: 'run `resnode setup --engine torch` to get a whole one, or set RESNODE_LIBTORCH to another folder',
      cause: error,
    });
  }
}

/** Devices of NVIDIA and AMD bear the same name in PyTorch; the library says which they are. */
function acceleratorLibrary(lib: string): string {
  const name = [`libtorch_cuda.${suffix}`, `libtorch_hip.${suffix}`].find((each) =>
    existsSync(join(lib, each)),
  );
  if (name) return name;
  throw new UserError(`the LibTorch in ${dirname(lib)} is built for the CPU only`, {
    hint: 'install a build of PyTorch for this GPU (pytorch.org), or take --device cpu',
  });
}

/**
 * The wheels' libraries find one another by a path in their headers; after unpacking into another layout they may
 * not, so what is beside them is loaded first.
 */
function preloadCompanions(folder: string): void {
  const nvidia = join(dirname(folder), 'nvidia');
  if (!existsSync(nvidia)) return;
  for (const kind of readdirSync(nvidia)) {
    const lib = join(nvidia, kind, 'lib');
    if (!existsSync(lib)) continue;
    for (const file of readdirSync(lib)) {
      if (companions.some((name) => file.startsWith(`${name}.`)))
        koffi.load(join(lib, file), { global: true });
    }
  }
}
