import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../../../data/make-folder.js';
import { UserError } from '../../../errors.js';
import { defaultCacheDir } from '../../onednn/library/cache.js';
import { withLock } from '../../onednn/library/lock.js';
import { downloadWheel } from '../../onednn/library/pip.js';
import { ZipArchive } from '../../onednn/library/zip.js';
import { accelerators } from '../accelerators.js';
import { cpuWheels, cudaWheels, everything, releaseVersion, type Wheel } from './release.js';

export interface GetOptions {
  env?: NodeJS.ProcessEnv;
  onProgress?: ((message: string) => void) | undefined;
  accelerated?: boolean;
}

const byHand = 'or set RESNODE_LIBTORCH to the folder of a LibTorch (Python: torch.__path__)';

/** Where a fetched release lies, or will: the one with a GPU's libraries where that is there. */
export function releaseFolder(cacheDir: string): string {
  const [cpu, cuda] = [variantFolder(cacheDir, false), variantFolder(cacheDir, true)];
  return join(existsSync(cuda) ? cuda : cpu, 'torch');
}

function variantFolder(cacheDir: string, accelerated: boolean): string {
  return join(cacheDir, 'torch', `${releaseVersion}-${accelerated ? 'cuda' : 'cpu'}`);
}

/**
 * Fetches the wheels with the machine's own pip, checks them, and takes out what is needed.
 * May be called by several processes at once.
 * @returns the folder of LibTorch
 * @throws {UserError} there are no wheels for this machine, no pip, or something else came than was asked for
 */
export async function getRelease(options: GetOptions): Promise<string> {
  const { env = process.env, onProgress = () => {}, accelerated = accelerators().length > 0 } = options;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError(
      `LibTorch is not on this machine, and what resnode fetches is for Linux on x86-64, not ${process.platform} on ${process.arch}`,
      { hint: `install PyTorch (pip install "torch>=2.13"): resnode finds it, ${byHand}` },
    );
  }
  const cacheDir = defaultCacheDir(env, process.platform);
  const folder = variantFolder(cacheDir, accelerated);
  const parent = dirname(folder);
  await makeFolder(parent);
  const waiting = (): void => onProgress('another set-up is at work on LibTorch; waiting for it');
  await withLock(join(parent, '.lock'), { beat: 1000, stale: 8000 }, waiting, async () => {
    if (existsSync(folder)) return;
    const work = `${folder}.partial`;
    await rm(work, { recursive: true, force: true });
    try {
      const unpacked = join(work, 'unpacked');
      for (const wheel of accelerated ? [...cpuWheels, ...cudaWheels] : cpuWheels) {
        await getWheel(wheel, { work, unpacked, env, onProgress, accelerated });
      }
      // the name says that it is whole
      await rename(unpacked, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return join(folder, 'torch');
}

interface Unpacking {
  readonly work: string;
  readonly unpacked: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (message: string) => void;
  readonly accelerated: boolean;
}

async function getWheel(
  wheel: Wheel,
  { work, unpacked, env, onProgress, accelerated }: Unpacking,
): Promise<void> {
  const folder = join(work, wheel.project);
  await makeFolder(folder);
  const target = [
    ...['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
    ...['--platform', wheel.platform],
  ];
  const path = await downloadWheel({
    release: wheel,
    folder,
    env,
    onProgress,
    name: 'LibTorch',
    byHand,
    target,
  });
  onProgress(`checking and unpacking ${wheel.project}`);
  const bytes = await readFile(path);
  await rm(path);
  verify(bytes, basename(path), wheel);
  const archive = new ZipArchive(bytes);
  const wanted = accelerated ? everything : wheel.needed;
  for (const name of archive.names.filter((each) => wanted.test(each))) {
    const file = join(unpacked, name);
    await makeFolder(dirname(file));
    await writeFile(file, await archive.read(name), { mode: 0o755, flush: true });
  }
}

function verify(bytes: Buffer, name: string, { sha256, project, version }: Wheel): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === sha256) return;
  throw new UserError(
    `${name} as pip brought it is not the known ${project} ${version}: SHA-256 ${actual} instead of ${sha256}`,
    {
      hint: 'it was removed; look where pip gets its packages from (pip config list), clear its cache (pip cache purge), and try again',
    },
  );
}
