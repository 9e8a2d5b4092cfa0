import { UserError } from '../../../errors.js';
import { defaultCacheDir } from '../../onednn/library/cache.js';
import { oldestVersion } from '../version.js';
import { inspectFolder, type TorchFolder } from './folder.js';
import { getRelease, releaseFolder } from './get.js';
import { askPython } from './python.js';

export interface TorchLibrary extends TorchFolder {
  /** Where it comes from: RESNODE_LIBTORCH, our cache, an installed Python's torch, or just now by pip. */
  readonly source: 'env' | 'cache' | 'python' | 'pip';
}

export interface FindTorchOptions {
  env?: NodeJS.ProcessEnv;
  onProgress?: ((message: string) => void) | undefined;
  /** Whether what a GPU needs is fetched too. Default: whether there is one. */
  accelerated?: boolean;
}

const variable = 'RESNODE_LIBTORCH';

/**
 * The LibTorch of this machine; undefined where there is none. Nothing is fetched.
 * @throws {UserError} RESNODE_LIBTORCH names something that cannot serve: that is never passed over in silence
 */
export async function findTorch({
  env = process.env,
}: FindTorchOptions = {}): Promise<TorchLibrary | undefined> {
  const named = env[variable];
  if (named) {
    const found = inspectFolder(named);
    if (typeof found !== 'string') return { ...found, source: 'env' };
    throw new UserError(`${variable}: ${named} ${found}`, {
      hint: `set it to the folder of LibTorch that has lib/ and include/ (Python: torch.__path__), or unset it`,
    });
  }
  const cached = inspectFolder(releaseFolder(defaultCacheDir(env, process.platform)));
  if (typeof cached !== 'string') return { ...cached, source: 'cache' };
  for (const folder of await askPython(env)) {
    const found = inspectFolder(folder);
    if (typeof found !== 'string') return { ...found, source: 'python' };
  }
  return undefined;
}

/**
 * Finds LibTorch, or gets it with pip.
 * @throws {UserError} none can be had; says what to install or set
 */
export async function findOrGetTorch(options: FindTorchOptions = {}): Promise<TorchLibrary> {
  const found = await findTorch(options);
  if (found) return found;
  const folder = await getRelease(options);
  const got = inspectFolder(folder);
  if (typeof got !== 'string') return { ...got, source: 'pip' };
  const { major, minor } = oldestVersion;
  throw new UserError(`LibTorch in ${folder} ${got}`, {
    hint: `set ${variable} to another LibTorch of version ${major}.${minor} or later`,
  });
}
