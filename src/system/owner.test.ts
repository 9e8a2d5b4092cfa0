import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isRunning } from './owner.js';

const stat = (pid: number): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');

it.skipIf(process.platform !== 'linux')(
  'a process that has died is not running, though its parent never asked for its status',
  async () => {
    // the shell becomes a program that knows of no child
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [said] = await once(parent.stdout, 'data');
      const pid = Number(String(said));
      const owner = { pid, host: hostname(), began: stat(pid)[21] ?? null };
      expect(await isRunning(owner)).toBe(true);
      while (stat(pid)[2] !== 'Z') await sleep(20);
      expect(await isRunning(owner)).toBe(false);
    } finally {
      parent.kill();
    }
  },
);
