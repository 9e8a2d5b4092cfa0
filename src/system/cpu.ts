import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { cgroupLimits, type SystemRoot } from './cgroup.js';
import { readText } from './read-text.js';

export interface CpuOptions extends SystemRoot {
  platform?: NodeJS.Platform;
  /** Logical processors that this process may use. */
  parallelism?: number;
  /** Leave the container's processor quota out of the count. */
  ignoreQuota?: boolean;
}

/**
 * Physical cores that this process may keep busy, at least 1: the default thread count of an engine.
 * Hyper-threads of one core count once; affinity and the container's processor quota bound it.
 */
export function physicalCores(options: CpuOptions = {}): number {
  const parallelism = options.parallelism ?? availableParallelism();
  const quota = (options.ignoreQuota ? undefined : cgroupLimits(options).cpus) ?? Number.POSITIVE_INFINITY;
  // a quota is rounded down: one thread too many makes all of them wait for the next period
  return Math.max(1, Math.min(countCores(options, parallelism), parallelism, Math.floor(quota)));
}

/**
 * Whether the processor computes faster in bf16 than in fp32: with AMX, and AMD's with AVX-512 BF16. A Xeon whose AMX is
 * left out takes longer in bf16 (docs/precision.md). False where the system does not say.
 */
export function cpuFasterInBf16({ root = '/' }: SystemRoot = {}): boolean {
  const cpuinfo = readText(join(root, 'proc/cpuinfo')) ?? '';
  const flags = linuxFlags(cpuinfo);
  return flags?.has('amx_bf16') || (flags?.has('avx512_bf16') && isAmd(cpuinfo)) || false;
}

/** Whether the processor is AMD's. */
export function cpuIsAmd({ root = '/' }: SystemRoot = {}): boolean {
  return isAmd(readText(join(root, 'proc/cpuinfo')) ?? '');
}

function isAmd(cpuinfo: string): boolean {
  return /^vendor_id\s*:\s*AuthenticAMD/m.test(cpuinfo);
}

function countCores({ root = '/', platform = process.platform }: CpuOptions, parallelism: number): number {
  if (platform === 'linux') return linuxCores(root) ?? parallelism;
  if (platform === 'darwin') {
    // Apple silicon: the efficiency cores would only be waited for
    return Number(sysctl('hw.perflevel0.physicalcpu') ?? sysctl('hw.physicalcpu') ?? parallelism);
  }
  return parallelism;
}

/** Cores with at least one hardware thread that the affinity mask allows; undefined where /sys does not say. */
function linuxCores(root: string): number | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readText(join(root, 'proc/self/status')) ?? '')?.[1];
  if (allowed === undefined) return undefined;
  const cores = new Set<string>();
  for (const cpu of parseCpuList(allowed)) {
    const topology = join(root, `sys/devices/system/cpu/cpu${cpu}/topology`);
    const siblings =
      readText(join(topology, 'core_cpus_list')) ?? readText(join(topology, 'thread_siblings_list'));
    // a processor of the mask that is not there, or is offline, has no topology
    if (siblings !== undefined) cores.add(siblings);
  }
  return cores.size > 0 ? cores.size : undefined;
}

/** `0-3,8` as numbers. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    if (first === undefined || last === undefined || !(first <= last)) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The name the maker gave the processor. */
export function cpuModel(): string {
  const model = cpus()[0]?.model.trim() ?? '';
  return model === '' ? 'unknown' : model;
}

// what decides which kernels an engine takes, in the kernel's spelling, x86 and ARM
const relevant = [
  ...['sse4_1', 'avx', 'avx2', 'fma', 'f16c', 'avx_vnni'],
  ...['avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16'],
  ...['amx_tile', 'amx_int8', 'amx_bf16', 'amx_fp16'],
  ...['asimd', 'asimdhp', 'bf16', 'i8mm', 'sve', 'sve2', 'svebf16'],
];

/** The processor's features that matter to training; undefined where the platform does not tell. */
export function cpuFeatures({
  root = '/',
  platform = process.platform,
}: CpuOptions = {}): string[] | undefined {
  let flags: Set<string> | undefined;
  if (platform === 'linux') flags = linuxFlags(readText(join(root, 'proc/cpuinfo')) ?? '');
  if (platform === 'darwin') flags = darwinFlags();
  return flags && relevant.filter((feature) => flags.has(feature));
}

function linuxFlags(cpuinfo: string): Set<string> | undefined {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1];
  return flags === undefined ? undefined : new Set(flags.trim().split(/\s+/));
}

function darwinFlags(): Set<string> {
  const intel = `${sysctl('machdep.cpu.features') ?? ''} ${sysctl('machdep.cpu.leaf7_features') ?? ''}`;
  const flags = new Set(
    intel.toLowerCase().replaceAll('sse4.1', 'sse4_1').replace('avx1.0', 'avx').split(' '),
  );
  if (sysctl('hw.optional.arm64') === '1') flags.add('asimd');
  if (sysctl('hw.optional.arm.FEAT_FP16') === '1') flags.add('asimdhp');
  if (sysctl('hw.optional.arm.FEAT_BF16') === '1') flags.add('bf16');
  if (sysctl('hw.optional.arm.FEAT_I8MM') === '1') flags.add('i8mm');
  return flags;
}

function sysctl(name: string): string | undefined {
  try {
    return execFileSync('sysctl', ['-n', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
