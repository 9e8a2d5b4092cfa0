import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** What a figure means nothing without. */
export function machine(): Record<string, string> {
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  const vector = ['avx512_bf16', 'avx512f', 'avx2', 'avx'].filter((flag) => flags.includes(flag));
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${vector.join(' ')}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    node: process.versions.node,
    load: loadavg()
      .map((value) => value.toFixed(1))
      .join(' '),
  };
}
