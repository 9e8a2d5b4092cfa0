import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { oldestVersion } from '../version.js';

/** A LibTorch on disk. */
export interface TorchFolder {
  /** Absolute; has lib/. */
  readonly folder: string;
  /** Such as `2.15.0`. */
  readonly version: string;
  /** Whether it has the operations of a GPU, too. */
  readonly accelerated: boolean;
}

/** @returns what is in the folder, or why it cannot serve (the text goes on from the folder's name) */
export function inspectFolder(path: string): TorchFolder | string {
  const folder = resolve(path);
  const lib = join(folder, 'lib');
  const suffix = process.platform === 'darwin' ? 'dylib' : 'so';
  if (!existsSync(join(lib, `libtorch_cpu.${suffix}`))) return `has no lib/libtorch_cpu.${suffix}`;
  const version = readVersion(folder);
  if (version === undefined) return 'does not say its version (include/torch/headeronly/version.h)';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const { major: least, minor: leastMinor } = oldestVersion;
  if (major * 1000 + minor < least * 1000 + leastMinor) {
    return `is LibTorch ${version}; ${least}.${leastMinor} or later is needed`;
  }
  const operations = [`libtorch_cuda.${suffix}`, `libtorch_hip.${suffix}`];
  const accelerated = process.platform === 'darwin' || operations.some((name) => existsSync(join(lib, name)));
  return { folder, version, accelerated };
}

/** Of the header that came with it: loading it for its version alone would take half a second. */
function readVersion(folder: string): string | undefined {
  for (const header of ['include/torch/headeronly/version.h', 'include/torch/version.h']) {
    const file = join(folder, header);
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const part = (name: string): string | undefined =>
      new RegExp(`#define TORCH_VERSION_${name} (\\d+)`).exec(text)?.[1];
    const [major, minor, patch] = [part('MAJOR'), part('MINOR'), part('PATCH')];
    if (major && minor && patch) return `${major}.${minor}.${patch}`;
  }
  return undefined;
}
