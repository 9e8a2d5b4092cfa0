import { join } from 'node:path';
import { readText } from './read-text.js';

/** What the container or control group of this process allows. Undefined: no limit is set. */
export interface CgroupLimits {
  /** Processor time, in cores; may be a fraction. */
  cpus: number | undefined;
  memory: { limit: number; used: number } | undefined;
}

export interface SystemRoot {
  /** Where /proc and /sys lie; for tests. */
  root?: string;
}

// version 1 says "no limit" with a number near 2^63
const unlimited = 2 ** 60;

/** Reads the limits of control groups, version 1, 2 or both mounted; the tightest on the way up counts. */
export function cgroupLimits({ root = '/' }: SystemRoot = {}): CgroupLimits {
  const groups = parseGroups(readText(join(root, 'proc/self/cgroup')) ?? '');
  const mount = join(root, 'sys/fs/cgroup');
  const quotas: number[] = [];
  const memories: Array<{ limit: number; used: number }> = [];
  const addMemory = (limit: string | undefined, used: string | undefined): void => {
    const bytes = Number(limit || Number.NaN);
    if (bytes > 0 && bytes < unlimited) memories.push({ limit: bytes, used: Number(used ?? 0) });
  };
  const addQuota = (quota: string | undefined, period: string | undefined): void => {
    const cpus = Number(quota || Number.NaN) / Number(period || Number.NaN);
    if (cpus > 0) quotas.push(cpus);
  };

  for (const folder of foldersUp([mount, join(mount, 'unified')], groups.get(''))) {
    const [quota, period] = readText(join(folder, 'cpu.max'))?.split(' ') ?? [];
    addQuota(quota, period);
    addMemory(readText(join(folder, 'memory.max')), readText(join(folder, 'memory.current')));
  }
  for (const folder of foldersUp([join(mount, 'cpu'), join(mount, 'cpu,cpuacct')], groups.get('cpu'))) {
    addQuota(readText(join(folder, 'cpu.cfs_quota_us')), readText(join(folder, 'cpu.cfs_period_us')));
  }
  for (const folder of foldersUp([join(mount, 'memory')], groups.get('memory'))) {
    addMemory(
      readText(join(folder, 'memory.limit_in_bytes')),
      readText(join(folder, 'memory.usage_in_bytes')),
    );
  }
  return {
    cpus: quotas.length > 0 ? Math.min(...quotas) : undefined,
    memory: memories.sort((a, b) => a.limit - b.limit)[0],
  };
}

/** Controller to path; version 2's single group is under ''. */
function parseGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(',')) groups.set(controller, path);
  }
  return groups;
}

/** The group's folder and all above it: a limit may be set on any, and in a container only the top is visible. */
function foldersUp(mounts: readonly string[], path: string | undefined): string[] {
  if (path === undefined) return [];
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return mounts.flatMap((mount) =>
    Array.from({ length: parts.length + 1 }, (_, up) => join(mount, ...parts.slice(0, parts.length - up))),
  );
}
