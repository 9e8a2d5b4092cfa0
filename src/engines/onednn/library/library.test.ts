import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../../errors.js';
import { workerEntry } from '../../../worker-entry.js';
import { defaultCacheDir } from './cache.js';
import { isaName, precisions } from './capabilities.js';
import { type FindInternals, type FindOptions, findOrGetOneDnn, type OneDnnLibrary } from './index.js';
import { parseLoaderCache, systemLibraries } from './system.js';
import { TestMachine } from './testing/machine.js';
import { tinyLibrary } from './testing/tiny-library.js';

const machines: TestMachine[] = [];

afterEach(() => {
  for (const machine of machines.splice(0)) machine.remove();
});

function newMachine(library?: Buffer): TestMachine {
  const machine = new TestMachine(library);
  machines.push(machine);
  return machine;
}

function find(
  machine: TestMachine,
  options: FindOptions = {},
  internals: FindInternals = {},
): Promise<OneDnnLibrary> {
  return findOrGetOneDnn({ ...machine.options, ...options }, { ...machine.internals, ...internals });
}

async function fault(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

const wholeCache = ['1.0', '1.0/LICENSE', '1.0/THIRD-PARTY', '1.0/complete.json', '1.0/libdnnl.so.3'];

// the made-up libraries are for this system; elsewhere there is no wheel to fetch either
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('findOrGetOneDnn', () => {
  describe('RESNODE_ONEDNN', () => {
    const named = (machine: TestMachine, value: string): Promise<OneDnnLibrary> =>
      find(machine, { env: { ...machine.options.env, RESNODE_ONEDNN: value } });

    it('names the library file, or a folder with it', async () => {
      const machine = newMachine();
      const path = machine.write(
        'somewhere else/lib/libdnnl.so.3',
        tinyLibrary({ version: [3, 7, 1], cpuRuntime: 4 }),
      );
      const expected = { path, source: 'env', version: '3.7.1', cpuRuntime: 'TBB' };
      expect(await named(machine, path)).toEqual(expected);
      expect(await named(machine, join(machine.root, 'somewhere else/lib'))).toEqual(expected);
      expect(await named(machine, join(machine.root, 'somewhere else'))).toEqual(expected);
    });

    it('is never passed over when it is wrong, though there would be another', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      await find(machine);
      const cases: Array<[path: string, message: RegExp]> = [
        ['/not/there', /^RESNODE_ONEDNN: \/not\/there does not exist$/],
        [machine.programs, /the folder .* has no libdnnl\.so\.3/],
        [machine.write('text.so', 'not a library'), /text\.so cannot be loaded: /],
        [machine.write('empty.so', ''), /empty\.so cannot be loaded: /],
        [
          machine.write('libdnnl.so.2', tinyLibrary({ version: [2, 6, 0] })),
          /is oneDNN 2\.6\.0; resnode needs version 3/,
        ],
        [machine.write('other.so', tinyLibrary({ symbol: 'other' })), /is not oneDNN/],
        [machine.write('sycl.so', tinyLibrary({ cpuRuntime: 512 })), /without CPU threads of its own/],
        [machine.write('needs.so', tinyLibrary({ needed: 'libnowhere.so.7' })), /needs libnowhere\.so\.7/],
      ];
      for (const [path, message] of cases) {
        const { message: text, hint } = await fault(named(machine, path));
        expect(text).toMatch(message);
        expect(text).toContain('RESNODE_ONEDNN: ');
        expect(hint).toBeTruthy();
      }
    });

    it('counts as not set when it is empty', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      expect((await named(machine, '')).source).toBe('pip');
    });
  });

  describe('the cache', () => {
    it('is filled by pip once, with the licences, and serves from then on', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      const messages: string[] = [];
      const first = await find(machine, { onProgress: (message) => messages.push(message) });
      expect(first).toEqual({ path: machine.cached, source: 'pip', version: '3.2.0', cpuRuntime: 'OpenMP' });
      expect(messages[0]).toBe('getting oneDNN (onednn-cpu-gomp==1.0, 0 MB) with python3 -m pip');
      expect(machine.cacheContents).toEqual(wholeCache);
      expect(await find(machine, { allowDownload: false })).toEqual({ ...first, source: 'cache' });
      expect(machine.downloads).toBe(1);
    });

    it('is filled again when the library is cut off, its stamp is missing or of another wheel', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      await find(machine);
      const stamp = join(machine.cached, '../complete.json');
      const damages = [
        () => {
          // a new file: this process has the old one mapped
          rmSync(machine.cached);
          writeFileSync(machine.cached, tinyLibrary().subarray(0, 1000));
        },
        () => rmSync(stamp),
        () =>
          writeFileSync(stamp, readFileSync(stamp, 'utf8').replace(machine.release.sha256, '0'.repeat(64))),
        () => writeFileSync(stamp, '{'),
        () => rmSync(machine.cached),
      ];
      for (const damage of damages) {
        damage();
        expect((await find(machine)).source).toBe('pip');
        expect((await find(machine)).source).toBe('cache');
      }
      expect(machine.downloads).toBe(1 + damages.length);
    });

    it('comes before the system', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      await find(machine);
      const system = machine.write('usr/libdnnl.so.3', tinyLibrary());
      expect((await find(machine, {}, { systemLibraries: () => [system] })).source).toBe('cache');
    });

    it('names the folder that cannot be made', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      const file = machine.write('a-file', '');
      const { message, hint } = await fault(find(machine, { cacheDir: join(file, 'cache') }));
      expect(message).toContain(`the cache folder ${join(file, 'cache')} cannot be written`);
      expect(hint).toContain('XDG_CACHE_HOME');
    });

    it('says which package is missing when the library does not load, and keeps the library', async () => {
      // a stand-in for libgomp.so.1, which cannot be taken away from the machine that runs the test
      const machine = newMachine(tinyLibrary({ needed: 'libnowhere.so.7' }));
      machine.addPip(machine.bringWheel);
      const { message, hint } = await fault(find(machine));
      expect(message).toBe(`oneDNN at ${machine.cached} needs libnowhere.so.7, which this machine lacks`);
      expect(hint).toBe('install the package that has libnowhere.so.7');
      await fault(find(machine));
      expect(machine.downloads).toBe(1);
    });

    it('removes what a killed set-up left behind', async () => {
      const machine = newMachine();
      machine.addPip('echo started > "$dest/started"; sleep 60 & echo $! > "$dest/pid"; wait');
      const child = setupProcess(machine);
      let work: string | undefined;
      while (work === undefined) {
        await sleep(20);
        work = machine.cacheContents.find((name) => /^\.setup-.*\/pid$/.test(name));
      }
      const pid = Number(readFileSync(join(machine.cacheDir, 'onednn', work), 'utf8'));
      child.kill('SIGKILL');
      await once(child, 'exit');
      process.kill(pid);
      expect(machine.cacheContents).toContain('.lock');
      machine.addPip(machine.bringWheel);
      expect((await find(machine)).source).toBe('pip');
      expect(machine.cacheContents).toEqual(wholeCache);
    });
  });

  describe('the system', () => {
    it('gives its library, and no other version', async () => {
      const machine = newMachine();
      const old = machine.write('old/libdnnl.so.3', tinyLibrary({ version: [2, 6, 0] }));
      const good = machine.write('good/libdnnl.so.3', tinyLibrary({ version: [3, 5, 3] }));
      const library = await find(machine, {}, { systemLibraries: () => [old, good] });
      expect(library).toMatchObject({ path: good, source: 'system', version: '3.5.3' });
      expect(machine.cacheContents).toEqual([]);
    });

    it('is told about when it has only what cannot serve', async () => {
      const machine = newMachine();
      const old = machine.write('old/libdnnl.so.3', tinyLibrary({ version: [2, 6, 0] }));
      const internals = { systemLibraries: () => [old] };
      const { message, hint } = await fault(find(machine, { allowDownload: false }, internals));
      expect(message).toBe(
        `oneDNN 3 is not on this machine yet (${old} is oneDNN 2.6.0; resnode needs version 3)`,
      );
      expect(hint).toContain('resnode setup');
    });
  });

  describe('pip', () => {
    it('is looked for under its three names', async () => {
      for (const name of ['python3', 'pip3', 'pip']) {
        const machine = newMachine();
        machine.addProgram('python3', 'echo "No module named pip" >&2; exit 1');
        machine.addPip(machine.bringWheel, { name });
        expect((await find(machine)).source).toBe('pip');
      }
    });

    it('that is not there: says what to install or set', async () => {
      const machine = newMachine();
      machine.addProgram('python3', '#!/bin/sh\necho "No module named pip" >&2; exit 1');
      const { message, hint } = await fault(find(machine));
      expect(message).toBe('oneDNN is not on this machine, and there is no pip to get it with');
      expect(hint).toContain('apt install python3-pip');
      expect(hint).toContain('RESNODE_ONEDNN');
      expect(machine.cacheContents).toEqual([]);
    });

    it('that fails: gives its own reason, and leaves nothing', async () => {
      const machine = newMachine();
      machine.addPip(
        'echo "WARNING: Retrying" >&2; echo "ERROR: No matching distribution found" >&2; echo "[notice] new pip" >&2; exit 1',
      );
      const { message } = await fault(find(machine));
      expect(message).toBe(
        'python3 -m pip could not get onednn-cpu-gomp==1.0: No matching distribution found',
      );
      expect(machine.cacheContents).toEqual([]);
      machine.addPip(
        'printf "ERROR: Exception:\\nTraceback\\n  File x\\nOSError: No space left\\n" >&2; exit 2',
      );
      expect((await fault(find(machine))).message).toMatch(/: OSError: No space left$/);
      machine.addPip('exit 3');
      expect((await fault(find(machine))).message).toMatch(/it ended with code 3$/);
    });

    it('that brings another file: refuses it by its SHA-256, and leaves nothing', async () => {
      const machine = newMachine();
      machine.addPip(`${machine.bringWheel}; echo more >> "$dest/onednn_cpu_gomp-1.0-py3-none-any.whl"`);
      const { message, hint } = await fault(find(machine));
      expect(message).toContain(`instead of ${machine.release.sha256}`);
      expect(message).toContain('onednn_cpu_gomp-1.0-py3-none-any.whl');
      expect(hint).toContain('pip cache purge');
      expect(machine.cacheContents).toEqual([]);
    });

    it('that brings nothing: says so', async () => {
      const machine = newMachine();
      machine.addPip('exit 0');
      expect((await fault(find(machine))).message).toContain('brought 0 wheels');
      expect(machine.cacheContents).toEqual([]);
    });

    it('tells how far it is, where it can', async () => {
      const machine = newMachine();
      machine.addPip(`echo "Progress 0 of 400"; echo "Progress 100 of 400"; ${machine.bringWheel}`, {
        version: '24.1',
      });
      const messages: string[] = [];
      await find(machine, { onProgress: (message) => messages.push(message) });
      expect(messages).toContain('getting oneDNN (onednn-cpu-gomp==1.0, 0 MB) with python3 -m pip: 25 %');
      expect(readFileSync(join(machine.root, 'downloads.log'), 'utf8')).toContain('--progress-bar raw');
    });

    it('is not run where nothing may be fetched', async () => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      await fault(find(machine, { allowDownload: false }));
      expect(machine.downloads).toBe(0);
    });

    it.each([
      [{ platform: 'darwin', arch: 'arm64' }, true, 'brew install onednn'],
      [{ platform: 'win32', arch: 'x64' }, true, 'conda-forge onednn'],
      [{ platform: 'linux', arch: 'arm64' }, true, 'apt install libdnnl3'],
      [{ platform: 'linux', arch: 'x64' }, false, 'apk add onednn'],
    ] as const)('is not run on %j, glibc %s: there is no wheel', async (platform, glibc, hint) => {
      const machine = newMachine();
      machine.addPip(machine.bringWheel);
      const error = await fault(find(machine, {}, { platform, glibc }));
      expect(error.hint).toContain(hint);
      expect(error.hint).toContain('RESNODE_ONEDNN');
      expect(machine.downloads).toBe(0);
    });
  });

  describe('several at once', () => {
    it('processes fetch it once and all get it', async () => {
      const machine = newMachine();
      machine.addPip(`sleep 1; ${machine.bringWheel}`);
      const results = await Promise.all([1, 2, 3].map(() => setupOutput(machine)));
      expect(results.map(({ source }) => source).sort()).toEqual(['cache', 'cache', 'pip']);
      for (const { path } of results) expect(path).toBe(machine.cached);
      expect(machine.downloads).toBe(1);
      expect(machine.cacheContents).toEqual(wholeCache);
    });

    it('do no harm even without the lock', async () => {
      const machine = newMachine();
      machine.addPip(`sleep 1; ${machine.bringWheel}`);
      // each takes the lock over at once
      const lock = { beat: 10_000, stale: 0 };
      const results = await Promise.all([1, 2, 3].map(() => setupOutput(machine, { lock })));
      for (const { path, version } of results) expect([path, version]).toEqual([machine.cached, '3.2.0']);
      expect(machine.downloads).toBeGreaterThan(1);
      expect(machine.cacheContents.filter((name) => name !== '.lock')).toEqual(wholeCache);
    });

    it('a failure of one lets the next one try', async () => {
      const machine = newMachine();
      const flag = join(machine.root, 'failed-once');
      machine.addPip(`if mkdir '${flag}' 2>/dev/null; then sleep 0.3; exit 1; fi; ${machine.bringWheel}`);
      const results = await Promise.allSettled([find(machine), find(machine)]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(machine.cacheContents).toEqual(wholeCache);
    });
  });
});

interface ProcessInternals {
  lock?: FindInternals['lock'];
}

/** The arguments of a Node process of its own that sets up on the machine and prints what it got. */
function setupArguments(machine: TestMachine, { lock }: ProcessInternals = {}): string[] {
  const module = workerEntry('engines/onednn/library/index.js').href;
  const internals = JSON.stringify({ ...machine.internals, ...(lock ? { lock } : {}) });
  const code = `
    import { findOrGetOneDnn } from '${module}';
    const internals = { ...${internals}, systemLibraries: () => [] };
    console.log(JSON.stringify(await findOrGetOneDnn(${JSON.stringify(machine.options)}, internals)));`;
  return ['--input-type=module', '--eval', code];
}

function setupProcess(machine: TestMachine): ReturnType<typeof spawn> {
  return spawn(process.execPath, setupArguments(machine), { stdio: 'ignore' });
}

async function setupOutput(machine: TestMachine, internals?: ProcessInternals): Promise<OneDnnLibrary> {
  const { stdout } = await promisify(execFile)(process.execPath, setupArguments(machine, internals));
  return JSON.parse(stdout) as OneDnnLibrary;
}

describe('the real library', () => {
  it('is here or can be had, and loads', async (context) => {
    const error: unknown = await findOrGetOneDnn().then(
      (library) => {
        expect(existsSync(library.path)).toBe(true);
        expect(library.version).toMatch(/^3\.\d+\.\d+$/);
      },
      (reason: unknown) => reason,
    );
    if (error instanceof UserError) context.skip(error.message);
    else expect(error).toBeUndefined();
  });
});

describe('systemLibraries', () => {
  it('looks where the loader, conda and the system have it, each file once', () => {
    const root = mkdtempSync(join(tmpdir(), 'resnode-system-'));
    try {
      for (const folder of ['conda/lib', 'loader']) mkdirSync(join(root, folder), { recursive: true });
      writeFileSync(join(root, 'conda/lib/libdnnl.so.3'), '');
      symlinkSync(join(root, 'conda/lib/libdnnl.so.3'), join(root, 'loader/libdnnl.so.3'));
      const env = { LD_LIBRARY_PATH: `/nowhere:${join(root, 'loader')}`, CONDA_PREFIX: join(root, 'conda') };
      const linux = systemLibraries(env, { platform: 'linux', arch: 'x64' });
      expect(linux.filter((path) => path.startsWith(root))).toEqual([join(root, 'loader/libdnnl.so.3')]);
      writeFileSync(join(root, 'conda/lib/libdnnl.3.dylib'), '');
      const mac = systemLibraries(
        { HOMEBREW_PREFIX: join(root, 'conda') },
        { platform: 'darwin', arch: 'arm64' },
      );
      expect(mac[0]).toBe(join(root, 'conda/lib/libdnnl.3.dylib'));
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it("reads the loader's cache, the right processor and version only", () => {
    const text = [
      "1234 libs found in cache `/etc/ld.so.cache'",
      '\tlibdnnl.so.3 (libc6,x86-64) => /lib64/libdnnl.so.3',
      '\tlibdnnl.so.3 (libc6) => /lib/libdnnl.so.3',
      '\tlibdnnl.so.2 (libc6,x86-64) => /lib64/libdnnl.so.2',
      '\tlibdnnl.so.3 (libc6,AArch64) => /lib/aarch64/libdnnl.so.3',
    ].join('\n');
    expect(parseLoaderCache(text, 'x64')).toEqual(['/lib64/libdnnl.so.3']);
    expect(parseLoaderCache(text, 'arm64')).toEqual(['/lib/aarch64/libdnnl.so.3']);
  });
});

it("takes the usual place of the user's caches", () => {
  expect(defaultCacheDir({ HOME: '/home/a', XDG_CACHE_HOME: '/big/cache' }, 'linux')).toBe(
    '/big/cache/resnode',
  );
  expect(defaultCacheDir({ HOME: '/home/a', XDG_CACHE_HOME: 'relative' }, 'linux')).toBe(
    '/home/a/.cache/resnode',
  );
  expect(defaultCacheDir({ HOME: '/home/a' }, 'darwin')).toBe('/home/a/Library/Caches/resnode');
});

it('names the instruction sets and tells what they can do', () => {
  expect([0, 0x7, 0x27, 0xe7, 0xfef, 0x1ffff].map(isaName)).toEqual([
    'generic',
    'AVX2',
    'AVX-512',
    'AVX-512 with VNNI and BF16',
    'AMX',
    'AMX with FP16',
  ]);
  expect(precisions(0xe7, 'x64').bf16).toMatchObject({ supported: true });
  expect(precisions(0x67, 'x64').bf16).toMatchObject({ supported: false });
  expect(precisions(0x7, 'x64').bf16).toEqual({
    supported: false,
    reason: 'it needs AVX-512 BF16 or AMX; oneDNN uses AVX2 here',
  });
});
