import { readFileSync } from 'node:fs';

/** A small file of /proc or /sys without its line end, or undefined where the system has no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return undefined;
  }
}
