import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Platform {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/**
 * Files that may be a system's oneDNN 3, the likeliest first; whether they are is for a probe to say.
 * Only names of the interface's version 3: `libdnnl.so.2` of Debian 12 is another interface.
 */
export function systemLibraries(env: NodeJS.ProcessEnv, { platform, arch }: Platform): string[] {
  const files =
    platform === 'linux'
      ? [...inFolders(env, platform, arch), ...loaderCache(arch)]
      : inFolders(env, platform, arch);
  const seen = new Set<string>();
  return files.filter((file) => {
    if (!existsSync(file)) return false;
    const real = realpathSync(file);
    if (seen.has(real)) return false;
    seen.add(real);
    return true;
  });
}

function inFolders(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, arch: string): string[] {
  const conda = env.CONDA_PREFIX;
  const listed = (name: string): string[] =>
    (env[name] ?? '').split(delimiter).filter((folder) => folder !== '');
  switch (platform) {
    case 'linux': {
      const triplet =
        arch === 'x64' ? 'x86_64-linux-gnu' : arch === 'arm64' ? 'aarch64-linux-gnu' : undefined;
      const folders = [
        ...listed('LD_LIBRARY_PATH'),
        ...(conda ? [join(conda, 'lib')] : []),
        '/usr/local/lib',
        ...(triplet ? [`/usr/lib/${triplet}`] : []),
        '/usr/lib64',
        '/usr/lib',
        '/home/linuxbrew/.linuxbrew/lib',
      ];
      return folders.map((folder) => join(folder, 'libdnnl.so.3'));
    }
    case 'darwin': {
      const folders = [
        ...listed('DYLD_LIBRARY_PATH'),
        ...(conda ? [join(conda, 'lib')] : []),
        ...(env.HOMEBREW_PREFIX ? [join(env.HOMEBREW_PREFIX, 'lib')] : []),
        '/opt/homebrew/lib',
        '/usr/local/lib',
        '/opt/local/lib',
      ];
      return folders.map((folder) => join(folder, 'libdnnl.3.dylib'));
    }
    case 'win32':
      return [...(conda ? [join(conda, 'Library', 'bin')] : []), ...listed('PATH')].map((folder) =>
        join(folder, 'dnnl.dll'),
      );
    default:
      return ['/usr/local/lib', '/usr/lib'].map((folder) => join(folder, 'libdnnl.so.3'));
  }
}

/** What the dynamic loader would find by name. `ldconfig` is often not on the PATH of an ordinary user. */
function loaderCache(arch: string): string[] {
  for (const command of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    try {
      const text = execFileSync(command, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return parseLoaderCache(text, arch);
    } catch {
      // not here: the next place
    }
  }
  return [];
}

/** Lines such as `libdnnl.so.3 (libc6,x86-64) => /usr/lib64/libdnnl.so.3`. */
export function parseLoaderCache(text: string, arch: string): string[] {
  const tag = arch === 'x64' ? 'x86-64' : arch === 'arm64' ? 'AArch64' : undefined;
  return text.split('\n').flatMap((line) => {
    const [, kind, path] = /^\s*libdnnl\.so\.3 \(([^)]*)\) => (.+)$/.exec(line) ?? [];
    if (kind === undefined || path === undefined) return [];
    return tag === undefined || kind.split(',').includes(tag) ? [path] : [];
  });
}
