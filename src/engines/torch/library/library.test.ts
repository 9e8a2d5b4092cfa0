import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectFolder } from './folder.js';
import { findTorch } from './index.js';

const root = mkdtempSync(join(tmpdir(), 'resnode-libtorch-'));
afterAll(() => rmSync(root, { recursive: true }));

const suffix = process.platform === 'darwin' ? 'dylib' : 'so';

/** A folder that looks like a LibTorch. */
function fakeTorch(name: string, version: string | undefined, ...libraries: string[]): string {
  const folder = join(root, name, 'torch');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  for (const library of libraries) writeFileSync(join(folder, 'lib', `${library}.${suffix}`), '');
  if (version === undefined) return folder;
  const headers = join(folder, 'include/torch/headeronly');
  mkdirSync(headers, { recursive: true });
  const [major, minor, patch] = version.split('.');
  const lines = [`MAJOR ${major}`, `MINOR ${minor}`, `PATCH ${patch}`];
  writeFileSync(join(headers, 'version.h'), lines.map((line) => `#define TORCH_VERSION_${line}\n`).join(''));
  return folder;
}

const nowhere = { HOME: join(root, 'home'), PATH: join(root, 'bin') };

describe('inspectFolder', () => {
  it('knows version and devices', () => {
    const cpu = fakeTorch('cpu', '2.13.1', 'libtorch_cpu');
    const accelerated = process.platform === 'darwin';
    expect(inspectFolder(cpu)).toEqual({ folder: cpu, version: '2.13.1', accelerated });
    const cuda = fakeTorch('cuda', '3.0.0', 'libtorch_cpu', 'libtorch_cuda');
    expect(inspectFolder(cuda)).toMatchObject({ version: '3.0.0', accelerated: true });
    const rocm = fakeTorch('rocm', '2.15.0', 'libtorch_cpu', 'libtorch_hip');
    expect(inspectFolder(rocm)).toMatchObject({ accelerated: true });
  });

  it('says why a folder cannot serve', () => {
    expect(inspectFolder(join(root, 'missing'))).toContain('has no lib/libtorch_cpu');
    expect(inspectFolder(fakeTorch('mute', undefined, 'libtorch_cpu'))).toContain('does not say its version');
    expect(inspectFolder(fakeTorch('old', '2.12.9', 'libtorch_cpu'))).toBe(
      'is LibTorch 2.12.9; 2.13 or later is needed',
    );
  });
});

describe('findTorch', () => {
  it('takes the folder that RESNODE_LIBTORCH names, and never passes over a wrong one', async () => {
    const folder = fakeTorch('named', '2.15.0', 'libtorch_cpu');
    const found = await findTorch({ env: { ...nowhere, RESNODE_LIBTORCH: folder } });
    expect(found).toMatchObject({ folder, source: 'env' });
    const wrong = findTorch({ env: { ...nowhere, RESNODE_LIBTORCH: '/not/there' } });
    await expect(wrong).rejects.toThrow('RESNODE_LIBTORCH: /not/there has no lib/');
  });

  it.skipIf(process.platform === 'win32')(
    'asks the Pythons on the PATH, and takes one that can serve',
    async () => {
      const old = fakeTorch('python-old', '2.0.0', 'libtorch_cpu');
      const good = fakeTorch('python-good', '2.14.0', 'libtorch_cpu');
      const bin = join(root, 'pythons');
      mkdirSync(bin);
      writeFileSync(join(bin, 'python3'), `#!/bin/sh\necho '${old}'\n`, { mode: 0o755 });
      writeFileSync(join(bin, 'python'), `#!/bin/sh\necho '${good}'\n`, { mode: 0o755 });
      const found = await findTorch({ env: { ...nowhere, PATH: bin } });
      expect(found).toMatchObject({ folder: good, source: 'python', version: '2.14.0' });
    },
  );

  it('finds nothing where there is nothing', async () => {
    expect(await findTorch({ env: nowhere })).toBeUndefined();
  });
});
