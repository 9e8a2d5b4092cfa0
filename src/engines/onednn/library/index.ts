import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../../../errors.js';
import { defaultCacheDir, LibraryCache } from './cache.js';
import { libraryFromEnvironment } from './environment.js';
import { type LockTimes, withLock } from './lock.js';
import { downloadWheel } from './pip.js';
import { type OneDnnLibrary, probeOneDnn, UnusableLibrary } from './probe.js';
import { type Release, release } from './release.js';
import { type Platform, systemLibraries } from './system.js';

export type { OneDnnLibrary };

export interface FindOptions {
  onProgress?: ((message: string) => void) | undefined;
  env?: NodeJS.ProcessEnv;
  /** resnode's cache folder; by default the usual place of the user's caches. */
  cacheDir?: string;
  /** Whether the library may be fetched if it is not here. Default true. */
  allowDownload?: boolean;
}

/** What tests replace. */
export interface FindInternals {
  release?: Release;
  platform?: Platform;
  /** Whether the C library is glibc, which the wheel needs. */
  glibc?: boolean;
  systemLibraries?: (env: NodeJS.ProcessEnv, platform: Platform) => string[];
  lock?: LockTimes;
}

/**
 * Finds oneDNN, or gets it: RESNODE_ONEDNN, our cache, the system's own, the wheel by pip, in this order.
 * May be called by several processes at once.
 * @throws {UserError} none can be had, or one that was found cannot serve; says what to install or set
 */
export async function findOrGetOneDnn(
  options: FindOptions = {},
  internals: FindInternals = {},
): Promise<OneDnnLibrary> {
  const env = options.env ?? process.env;
  const platform = internals.platform ?? process;
  const named = libraryFromEnvironment(env);
  if (named) return named;

  const cacheDir = options.cacheDir ?? defaultCacheDir(env, platform.platform);
  const cache = new LibraryCache(cacheDir, internals.release ?? release);
  if (await cache.isComplete()) return cached(cache, 'cache');

  const rejected: string[] = [];
  for (const path of (internals.systemLibraries ?? systemLibraries)(env, platform)) {
    try {
      return { path, source: 'system', ...probeOneDnn(path) };
    } catch (error) {
      if (!(error instanceof UnusableLibrary)) throw error;
      rejected.push(`${path} ${error.message}`);
    }
  }
  const found = rejected.length > 0 ? ` (${rejected.join('; ')})` : '';

  const noWheel = whyNoWheel(platform, internals.glibc);
  if (noWheel !== undefined) {
    throw new UserError(`oneDNN 3 is not on this machine${found}, and ${noWheel}`, {
      hint: installHint(platform.platform),
    });
  }
  if (options.allowDownload === false) {
    throw new UserError(`oneDNN 3 is not on this machine yet${found}`, {
      hint: 'run `resnode setup` to get it, or set RESNODE_ONEDNN to a libdnnl.so.3',
    });
  }
  return get(cache, cacheDir, env, options.onProgress ?? (() => {}), internals);
}

async function get(
  cache: LibraryCache,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
  onProgress: (message: string) => void,
  internals: FindInternals,
): Promise<OneDnnLibrary> {
  const wanted = internals.release ?? release;
  const times = internals.lock ?? { beat: 1000, stale: 8000 };
  const waiting = (): void => onProgress('another set-up is at work on oneDNN; waiting for it');
  try {
    await cache.makeFolder();
    return await withLock(cache.lockPath, times, waiting, async () => {
      if (await cache.isComplete()) return cached(cache, 'cache');
      await cache.withWorkFolder(async (folder) => {
        const path = await downloadWheel({ release: wanted, folder, env, onProgress });
        const wheel = await readFile(path);
        await rm(path);
        onProgress('checking and unpacking oneDNN');
        verify(wheel, basename(path), wanted);
        await cache.install(wheel, folder);
      });
      return cached(cache, 'pip');
    });
  } catch (error) {
    throw asUserError(error, cacheDir);
  }
}

/** A cached file is the one whose hash was checked; if it does not load, the machine lacks something. */
function cached(cache: LibraryCache, source: 'cache' | 'pip'): OneDnnLibrary {
  const { path } = cache;
  try {
    return { path, source, ...probeOneDnn(path) };
  } catch (error) {
    if (!(error instanceof UnusableLibrary)) throw error;
    throw new UserError(`oneDNN at ${path} ${error.message}`, {
      hint: error.hint ?? 'set RESNODE_ONEDNN to another libdnnl.so.3 of oneDNN 3',
      cause: error,
    });
  }
}

function verify(wheel: Buffer, name: string, { sha256, project, version }: Release): void {
  const actual = createHash('sha256').update(wheel).digest('hex');
  if (actual === sha256) return;
  throw new UserError(
    `${name} as pip brought it is not the known ${project} ${version}: SHA-256 ${actual} instead of ${sha256}`,
    {
      hint: 'it was removed; look where pip gets its packages from (pip config list), clear its cache (pip cache purge), and try again',
    },
  );
}

// ENOENT is what making folders gives on some read-only file systems
const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT']);

/** The file system's refusals, in words. */
function asUserError(error: unknown, cacheDir: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const elsewhere = 'set XDG_CACHE_HOME to another folder, or RESNODE_ONEDNN to a libdnnl.so.3';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new UserError(`no space left for oneDNN in ${cacheDir}`, {
      hint: `free 100 MB there, or ${elsewhere}`,
      cause: error,
    });
  }
  if (code !== undefined && unwritable.has(code)) {
    return new UserError(`the cache folder ${cacheDir} cannot be written (${code})`, {
      hint: elsewhere,
      cause: error,
    });
  }
  return error;
}

/** Why the wheel does not fit this machine; undefined if it does. */
function whyNoWheel({ platform, arch }: Platform, glibc = hasGlibc()): string | undefined {
  if (platform !== 'linux' || arch !== 'x64') return `there is no wheel to get for ${platform} on ${arch}`;
  return glibc ? undefined : 'the wheel to get needs glibc, which this Linux does not have';
}

function hasGlibc(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime !== undefined;
}

function installHint(platform: NodeJS.Platform): string {
  const conda = '`conda install -c conda-forge onednn`';
  switch (platform) {
    case 'darwin':
      return `install it (\`brew install onednn\`, or ${conda}), or set RESNODE_ONEDNN to a libdnnl.3.dylib`;
    case 'win32':
      return `install it (${conda}), or set RESNODE_ONEDNN to a dnnl.dll of oneDNN 3`;
    default:
      return `install it (\`apt install libdnnl3\` on Debian 13, \`dnf install onednn\` on Fedora, \`apk add onednn\` on Alpine, or ${conda}), or set RESNODE_ONEDNN to a libdnnl.so.3`;
  }
}
