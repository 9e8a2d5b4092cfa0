import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tinyLibrary } from '../engines/onednn/library/testing/tiny-library.js';
import { workerEntry } from '../worker-entry.js';

const root = mkdtempSync(join(tmpdir(), 'resnode-cli-'));
const tiny = join(root, 'libdnnl.so.3');
writeFileSync(tiny, tinyLibrary({ version: [3, 4, 1] }));

afterAll(() => rmSync(root, { recursive: true }));

/** Runs one command in a process of its own, with nothing on the PATH and an empty cache. */
function run(name: 'setup' | 'doctor', args: string[], env: NodeJS.ProcessEnv) {
  const code = `
    import { ${name}Command } from '${workerEntry(`cli/${name}.js`).href}';
    await ${name}Command().parseAsync(${JSON.stringify(args)}, { from: 'user' });`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    env: { PATH: root, HOME: root, ...env },
  });
}

const hasTiny = process.platform === 'linux' && process.arch === 'x64';

describe('resnode setup', () => {
  it.runIf(hasTiny)('prints what and where', () => {
    const text = run('setup', [], { RESNODE_ONEDNN: root });
    expect(text).toMatchObject({ status: 0, stderr: '' });
    expect(text.stdout).toBe(`oneDNN 3.4.1 (OpenMP), named by RESNODE_ONEDNN\n  ${tiny}\n`);
    const json = run('setup', ['--json'], { RESNODE_ONEDNN: tiny });
    expect(JSON.parse(json.stdout)).toEqual({
      path: tiny,
      source: 'env',
      version: '3.4.1',
      cpuRuntime: 'OpenMP',
    });
  });

  it('fails with what to do', () => {
    const { status, stderr, stdout } = run('setup', [], { RESNODE_ONEDNN: '/not/there' });
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('RESNODE_ONEDNN: /not/there does not exist');
  });
});

describe('resnode doctor', () => {
  it('reports a library that cannot serve, and ends with 1', () => {
    const { status, stdout } = run('doctor', ['--json'], { RESNODE_ONEDNN: '/not/there' });
    expect(status).toBe(1);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ok: false,
      node: process.versions.node,
      library: null,
      engines: { onednn: { fp32: { supported: false } }, torch: { supported: false } },
      faults: [{ message: 'RESNODE_ONEDNN: /not/there does not exist' }],
    });
    expect(report.cpu.threads).toBeGreaterThanOrEqual(1);
    expect(report.packages.sharp).toMatch(/^\d+\.\d+/);
    expect(report.packages.jpegTurbo).toMatch(/^\d+\.\d+/);
    const text = run('doctor', [], { RESNODE_ONEDNN: '/not/there' });
    expect(text.status).toBe(1);
    expect(text.stdout).toContain('error: RESNODE_ONEDNN: /not/there does not exist\nhint:  ');
    expect(text.stdout).toContain('Training cannot run here yet.');
    expect(text.stderr).toBe('');
  });

  it.runIf(hasTiny)('reports a library that lacks functions, without a stack', () => {
    const { status, stdout, stderr } = run('doctor', [], { RESNODE_ONEDNN: tiny });
    expect(status).toBe(1);
    expect(stdout).toMatch(/error: onednn does not load: .*\n/);
    expect(stdout + stderr).not.toContain('    at ');
  });

  it('fetches nothing', () => {
    const log = join(root, 'called');
    for (const name of ['python3', 'pip3', 'pip']) {
      writeFileSync(join(root, name), `#!/bin/sh\necho "$0 $@" >> '${log}'\nexit 1\n`, { mode: 0o755 });
    }
    const { stdout } = run('doctor', ['--json'], {});
    const { ok, library } = JSON.parse(stdout);
    // a system that brings oneDNN 3 is fine, one that does not is told so
    expect(ok).toBe(library !== null);
    // Python may be asked where its torch is
    const called = existsSync(log) ? readFileSync(log, 'utf8') : '';
    expect(called).not.toMatch(/pip|download/);
    expect(readdirSync(root).sort()).toEqual(
      ['libdnnl.so.3', 'pip', 'pip3', 'python3', ...(called ? ['called'] : [])].sort(),
    );
  });

  it('says that training can run where the engine is here', (context) => {
    const { HOME, PATH, XDG_CACHE_HOME } = process.env;
    const env = { HOME, PATH, ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}) };
    const { status, stdout } = run('doctor', ['--json'], env);
    const report = JSON.parse(stdout);
    if (report.library === null) context.skip('oneDNN is not on this machine');
    expect(status).toBe(0);
    expect(report).toMatchObject({
      ok: true,
      faults: [],
      engines: { onednn: { fp32: { supported: true } } },
    });
    expect(report.library.version).toMatch(/^3\./);
  });
});
