import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Cores' worth of work that the machine's processes did within a short time from now; 1.5 is one and a half cores. */
export async function busyCores(milliseconds = 300): Promise<number> {
  const before = processorTimes();
  await sleep(milliseconds);
  const after = processorTimes();
  const total = after.total - before.total;
  if (total <= 0) return 0;
  return ((after.busy - before.busy) / total) * cpus().length;
}

/** As {@link busyCores}, without what this process did itself. */
export async function coresBusyElsewhere(milliseconds = 300): Promise<number> {
  const started = performance.now();
  const before = process.cpuUsage();
  const busy = await busyCores(milliseconds);
  const { user, system } = process.cpuUsage(before);
  // microseconds of work in milliseconds of time
  return Math.max(0, busy - (user + system) / 1000 / (performance.now() - started));
}

function processorTimes(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busy += working;
    total += working + times.idle;
  }
  return { busy, total };
}

/** Processes that wanted to run, on average over the last minute; undefined on Windows, which has no such number. */
export function loadAverage(): number | undefined {
  return process.platform === 'win32' ? undefined : Number((loadavg()[0] ?? 0).toFixed(1));
}
