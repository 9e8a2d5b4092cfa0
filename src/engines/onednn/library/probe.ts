import koffi from 'koffi';

/** What a library file says about itself. */
export interface Probed {
  /** Such as `3.2.0`. */
  readonly version: string;
  /** Who runs its threads: `OpenMP`, `TBB` or `sequential`. */
  readonly cpuRuntime: string;
}

/** A oneDNN 3 that loads on this machine. */
export interface OneDnnLibrary extends Probed {
  /** The library file, absolute. */
  readonly path: string;
  /** Where it comes from: RESNODE_ONEDNN, our cache, the system, or just now by pip into our cache. */
  readonly source: 'env' | 'cache' | 'system' | 'pip';
}

/** Why a file cannot serve as oneDNN; the message goes on from the file's path. */
export class UnusableLibrary extends Error {
  override readonly name = 'UnusableLibrary';
  constructor(
    message: string,
    /** What to do about it, where that is known. */
    readonly hint?: string,
  ) {
    super(message);
  }
}

const versionType = koffi.struct({
  major: 'int',
  minor: 'int',
  patch: 'int',
  hash: 'const char *',
  cpuRuntime: 'unsigned int',
  gpuRuntime: 'unsigned int',
});
const versionPointer = koffi.pointer(versionType);

// DNNL_RUNTIME_* of dnnl_config.h
const runtimes = new Map([
  [1, 'sequential'],
  [2, 'OpenMP'],
  [4, 'TBB'],
]);

/**
 * Loads the file and asks for its version.
 * @param path absolute
 * @throws {UnusableLibrary} it does not load, is not oneDNN, not version 3, or has no CPU threads of its own
 */
export function probeOneDnn(path: string): Probed {
  const { major, minor, patch, cpuRuntime } = readVersion(path);
  const version = `${major}.${minor}.${patch}`;
  if (major !== 3) throw new UnusableLibrary(`is oneDNN ${version}; resnode needs version 3`);
  const runtime = runtimes.get(cpuRuntime);
  if (runtime === undefined) {
    throw new UnusableLibrary(
      `is a build of oneDNN ${version} without CPU threads of its own (SYCL or a thread pool); resnode needs one with OpenMP or TBB`,
    );
  }
  return { version, cpuRuntime: runtime };
}

interface RawVersion {
  major: number;
  minor: number;
  patch: number;
  cpuRuntime: number;
}

function readVersion(path: string): RawVersion {
  let library: koffi.IKoffiLib;
  try {
    library = koffi.load(path);
  } catch (error) {
    throw explainLoadError(error instanceof Error ? error.message : String(error));
  }
  let version: () => unknown;
  try {
    version = library.func('dnnl_version', versionPointer, []);
  } catch {
    throw new UnusableLibrary('is not oneDNN: it has no function dnnl_version');
  }
  return koffi.decode(version(), versionType) as RawVersion;
}

const packages = new Map([
  ['libgomp.so.1', '`apt install libgomp1` (Debian, Ubuntu), `dnf install libgomp` (Fedora)'],
  ['libstdc++.so.6', '`apt install libstdc++6` (Debian, Ubuntu), `dnf install libstdc++` (Fedora)'],
  ['libgcc_s.so.1', '`apt install libgcc-s1` (Debian, Ubuntu), `dnf install libgcc` (Fedora)'],
]);

/** Turns the dynamic loader's words into what is wrong and what to do. */
function explainLoadError(text: string): UnusableLibrary {
  const reason = text.replace(/^Failed to load shared library: /, '');
  // with its path when it is the file itself that is missing, without when it is what the file needs
  const missing = /^([^/\s:]+): cannot open shared object file/.exec(reason)?.[1];
  if (missing !== undefined) {
    const install = packages.get(missing);
    return new UnusableLibrary(
      `needs ${missing}, which this machine lacks`,
      install ? `install it: ${install}` : `install the package that has ${missing}`,
    );
  }
  if (/failed to map segment/.test(reason)) {
    return new UnusableLibrary(
      'lies on a file system that forbids programs (noexec)',
      'put it on another file system; XDG_CACHE_HOME moves our cache',
    );
  }
  return new UnusableLibrary(`cannot be loaded: ${reason}`);
}
