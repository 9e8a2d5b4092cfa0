import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { cgroupLimits, type SystemRoot } from './cgroup.js';
import { readText } from './read-text.js';

/** Memory of the machine, in bytes. */
export interface Memory {
  total: number;
  /** What a new process can have without swapping, the container's limit included. */
  available: number;
  /** The container's limit where it is less than the machine has. */
  limit: number | undefined;
  /** Linux's setting: always, madvise or never. */
  transparentHugePages: string | undefined;
}

export function memory({ root = '/' }: SystemRoot = {}): Memory {
  const info = readText(join(root, 'proc/meminfo')) ?? '';
  const kibibytes = (name: string): number | undefined => {
    const value = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(info)?.[1];
    return value === undefined ? undefined : Number(value) * 1024;
  };
  const total = kibibytes('MemTotal') ?? totalmem();
  const free = kibibytes('MemAvailable') ?? freemem();
  const group = cgroupLimits({ root }).memory;
  const limited = group !== undefined && group.limit < total;
  const setting = readText(join(root, 'sys/kernel/mm/transparent_hugepage/enabled'));
  return {
    total,
    available: limited ? Math.max(0, Math.min(free, group.limit - group.used)) : free,
    limit: limited ? group.limit : undefined,
    transparentHugePages: setting && /\[(\w+)\]/.exec(setting)?.[1],
  };
}
