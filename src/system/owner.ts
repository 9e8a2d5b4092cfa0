import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** The process that is writing a folder. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's own count; tells it from a later one with the same id. */
  readonly began: string | null;
}

async function beginning(pid: number): Promise<string | null> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    // the fields after the name in brackets start with the third; the beginning is the 22nd
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    // one that is dead stays in the list until its parent has asked for its status
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

export async function thisOwner(): Promise<Owner> {
  return { pid: process.pid, host: hostname(), began: await beginning(process.pid) };
}

/** Whether the owner may still be at work; one on another host counts as being so. */
export async function isRunning(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  if (owner.pid === process.pid) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return owner.began === null || owner.began === (await beginning(owner.pid));
}

export function describeOwner(owner: Owner): string {
  return owner.host === hostname() ? `process ${owner.pid}` : `process ${owner.pid} on ${owner.host}`;
}
