import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { open, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockTimes {
  /** Milliseconds between two signs of life of the holder. */
  beat: number;
  /** Without a sign of life for this long, the holder counts as gone. */
  stale: number;
}

/**
 * Runs `work` while no other process or thread does, so that they do not all fetch the same file.
 * The holder touches the lock file now and then; a lock that nobody touches was left by a killed process and is
 * taken over. A courtesy, not a guarantee: what `work` does must be harmless when done twice at once.
 * @param onWait called once when another one holds the lock
 * @throws the file system's own error where the lock file cannot be made
 */
export async function withLock<T>(
  path: string,
  { beat, stale }: LockTimes,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const token = `${process.pid}@${pidSpace()} ${randomBytes(8).toString('hex')}`;
  await acquire(path, token, beat, stale, onWait);
  const heart = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, beat);
  heart.unref();
  try {
    return await work();
  } finally {
    clearInterval(heart);
    const holder = await readFile(path, 'utf8').catch(() => undefined);
    if (holder === token) await unlink(path).catch(() => {});
  }
}

async function acquire(
  path: string,
  token: string,
  beat: number,
  stale: number,
  onWait: () => void,
): Promise<void> {
  let waited = false;
  let lastBeat: number | undefined;
  let seenAt = performance.now();
  while (!(await create(path, token))) {
    if (!waited) onWait();
    waited = true;
    // the age is measured with our clock: another host's may be wrong
    const beatAt = await stat(path).then(
      (found) => found.mtimeMs,
      () => undefined,
    );
    if (beatAt !== lastBeat) {
      lastBeat = beatAt;
      seenAt = performance.now();
    }
    if (performance.now() - seenAt > stale || (await holderHasEnded(path))) await removeIfThere(path);
    else await sleep(Math.min(beat, 200));
  }
}

async function holderHasEnded(path: string): Promise<boolean> {
  const token = await readFile(path, 'utf8').catch(() => '');
  const [, pid, space] = /^(\d+)@(\S*) /.exec(token) ?? [];
  return space !== undefined && hasEnded(Number(pid), space);
}

/** Where a process number means what it means here: the host, and on Linux the container. */
export function pidSpace(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    // not Linux: one space per host
  }
  return `${hostname()}.${namespace}`;
}

/** Whether a process is certain to run no more; never certain of one elsewhere. */
export function hasEnded(pid: number, space: string): boolean {
  if (space !== pidSpace()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function create(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(token);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
