import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { cgroupLimits } from './cgroup.js';
import { cpuFasterInBf16, cpuFeatures, parseCpuList, physicalCores } from './cpu.js';
import { busyCores } from './load.js';
import { memory } from './memory.js';

const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A folder with the given files of /proc and /sys. */
function machine(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'resnode-system-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return root;
}

/** Topology files: which logical processors share each core. */
function topology(cores: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    cores.flatMap((list) =>
      parseCpuList(list).map((cpu) => [`sys/devices/system/cpu/cpu${cpu}/topology/core_cpus_list`, list]),
    ),
  );
}

const status = (list: string): Record<string, string> => ({
  'proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nThreads:\t1`,
});

describe('physicalCores', () => {
  const count = (files: Record<string, string>, parallelism = 64): number =>
    physicalCores({ root: machine(files), platform: 'linux', parallelism });

  it('counts hyper-threads of one core once', () => {
    expect(count({ ...status('0-7'), ...topology(['0,4', '1,5', '2,6', '3,7']) })).toBe(4);
  });

  it('counts only cores that the affinity mask touches', () => {
    const cores = topology(['0-1', '2-3', '4-5', '6-7']);
    expect(count({ ...status('0-3'), ...cores })).toBe(2);
    expect(count({ ...status('1,2,7'), ...cores })).toBe(3);
  });

  it('leaves out processors of the mask that are not there', () => {
    expect(count({ ...status('0-127'), ...topology(['0', '1']) })).toBe(2);
  });

  it('is bounded by the quota, rounded down, and is never 0', () => {
    const cores = { ...status('0-7'), ...topology(['0', '1', '2', '3', '4', '5', '6', '7']) };
    const quota = (text: string): Record<string, string> => ({
      ...cores,
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/cpu.max': text,
    });
    expect(count(quota('250000 100000'))).toBe(2);
    expect(count(quota('50000 100000'))).toBe(1);
    expect(count(quota('max 100000'))).toBe(8);
  });

  it('falls back on the logical processors where /sys says nothing', () => {
    expect(count(status('0-3'), 3)).toBe(3);
    expect(count({}, 5)).toBe(5);
  });

  it('is between 1 and the logical processors on this machine', () => {
    const cores = physicalCores();
    expect(Number.isInteger(cores)).toBe(true);
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(cores).toBeLessThanOrEqual(availableParallelism());
  });
});

it('parses any processor list that the kernel may write', () => {
  const sets = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 1 });
  fc.assert(
    fc.property(sets, (numbers) => {
      const sorted = numbers.sort((a, b) => a - b);
      const ranges: string[] = [];
      for (let start = 0; start < sorted.length; ) {
        let end = start;
        while (sorted[end + 1] === sorted[end]! + 1) end++;
        ranges.push(start === end ? `${sorted[start]}` : `${sorted[start]}-${sorted[end]}`);
        start = end + 1;
      }
      expect(parseCpuList(ranges.join(','))).toEqual(sorted);
    }),
  );
});

describe('cgroupLimits', () => {
  it('finds none where none are set', () => {
    expect(cgroupLimits({ root: machine({}) })).toEqual({ cpus: undefined, memory: undefined });
    const root = machine({
      'proc/self/cgroup': '4:memory:/a\n1:cpu,cpuacct:/\n0::/',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854771712',
    });
    expect(cgroupLimits({ root })).toEqual({ cpus: undefined, memory: undefined });
  });

  it('takes the tightest limit on the way up, version 2', () => {
    const root = machine({
      'proc/self/cgroup': '0::/user/job',
      'sys/fs/cgroup/user/job/cpu.max': 'max 100000',
      'sys/fs/cgroup/user/cpu.max': '150000 100000',
      'sys/fs/cgroup/user/job/memory.max': '4000',
      'sys/fs/cgroup/user/job/memory.current': '1000',
      'sys/fs/cgroup/user/memory.max': '9000',
      'sys/fs/cgroup/user/memory.current': '2000',
    });
    expect(cgroupLimits({ root })).toEqual({ cpus: 1.5, memory: { limit: 4000, used: 1000 } });
  });

  it('reads the top where a container sees only that, version 1', () => {
    const root = machine({
      'proc/self/cgroup': '5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '1073741824',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '73741824',
    });
    expect(cgroupLimits({ root })).toEqual({ cpus: 2, memory: { limit: 1073741824, used: 73741824 } });
  });
});

describe('memory', () => {
  const meminfo = 'MemTotal:        8000 kB\nMemFree:  100 kB\nMemAvailable:    6000 kB';

  it('reads the machine', () => {
    const root = machine({
      'proc/meminfo': meminfo,
      'sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never',
    });
    expect(memory({ root })).toEqual({
      total: 8000 * 1024,
      available: 6000 * 1024,
      limit: undefined,
      transparentHugePages: 'madvise',
    });
  });

  it('counts what the container has left', () => {
    const root = machine({
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/memory.max': `${4000 * 1024}`,
      'sys/fs/cgroup/memory.current': `${1500 * 1024}`,
    });
    expect(memory({ root })).toMatchObject({ available: 2500 * 1024, limit: 4000 * 1024 });
  });

  it('agrees with Node on this machine', () => {
    expect(memory().total).toBe(totalmem());
    expect(memory().available).toBeGreaterThan(0);
  });
});

describe('cpuFasterInBf16', () => {
  it.each([
    ['AMX', 'GenuineIntel', 'avx512_bf16 amx_bf16', true],
    ["AMD's AVX-512", 'AuthenticAMD', 'avx512f avx512_bf16', true],
    ["Intel's AVX-512 without AMX", 'GenuineIntel', 'avx512f avx512_bf16', false],
    ['AVX2', 'AuthenticAMD', 'avx2', false],
  ])('says of %s whether bf16 is the faster one', (_, vendor, flags, faster) => {
    const cpuinfo = `processor\t: 0\nvendor_id\t: ${vendor}\nflags\t\t: fpu ${flags}\n`;
    expect(cpuFasterInBf16({ root: machine({ 'proc/cpuinfo': cpuinfo }) })).toBe(faster);
  });
});

describe('cpuFeatures', () => {
  it('picks the features that matter, x86 and ARM', () => {
    const x86 = machine({
      'proc/cpuinfo': 'processor\t: 0\nflags\t\t: fpu sse4_1 avx2 rdpid avx512_bf16\nbugs\t: ',
    });
    expect(cpuFeatures({ root: x86, platform: 'linux' })).toEqual(['sse4_1', 'avx2', 'avx512_bf16']);
    const arm = machine({ 'proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd sve bf16' });
    expect(cpuFeatures({ root: arm, platform: 'linux' })).toEqual(['asimd', 'bf16', 'sve']);
  });

  it('says so where the platform does not tell', () => {
    expect(cpuFeatures({ platform: 'win32' })).toBeUndefined();
    expect(cpuFeatures({ root: machine({}), platform: 'linux' })).toBeUndefined();
  });
});

it('sees a core that this process keeps busy', async () => {
  const worker = busyCores(200);
  const until = performance.now() + 190;
  let sum = 0;
  while (performance.now() < until) sum += Math.sqrt(sum + 1);
  expect(sum).toBeGreaterThan(0);
  expect(await worker).toBeGreaterThan(0.5);
});
