import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { workerEntry } from '../worker-entry.js';
import { RunLock } from './run-lock.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resnode-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A process that takes the lock, says whether it got it, and ends when its input does. */
const program = `
  const { RunLock } = await import(${JSON.stringify(workerEntry('train/run-lock.js').href)});
  try {
    await RunLock.acquire(${'process.argv[1]'}, 'the run');
    process.stdout.write('taken');
  } catch (error) {
    process.stdout.write(error.message);
  }
  process.stdin.resume();
`;
const processArguments = (): string[] => ['--input-type=module', '-e', program, path];

function holder(): { said: Promise<string>; kill: () => Promise<void> } {
  const child = spawn(process.execPath, processArguments(), { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    said: new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data)))),
    kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

describe('a run lock', () => {
  it('keeps a second training of the same process out until it is released', async () => {
    const lock = await RunLock.acquire(path, 'the run');
    await expect(RunLock.acquire(path, 'the run')).rejects.toThrow(/the run is in use by process \d+/);
    await lock.release();
    expect(existsSync(path)).toBe(false);
    await (await RunLock.acquire(path, 'the run')).release();
  });

  it('keeps another process out, and is free when that one was killed', async () => {
    const other = holder();
    expect(await other.said).toBe('taken');
    await expect(RunLock.acquire(path, 'the run')).rejects.toThrow(UserError);
    await other.kill();
    expect(existsSync(path)).toBe(true);
    await (await RunLock.acquire(path, 'the run')).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken by one only, of several that find a dead one', async () => {
    spawnSync(process.execPath, processArguments(), { input: '' });
    expect(existsSync(path)).toBe(true);
    const rivals = Array.from({ length: 4 }, holder);
    const said = await Promise.all(rivals.map((rival) => rival.said));
    expect(said.filter((text) => text === 'taken')).toHaveLength(1);
    expect(said.filter((text) => text.includes('in use'))).toHaveLength(3);
    await Promise.all(rivals.map((rival) => rival.kill()));
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('of an unreadable file is none', async () => {
    writeFileSync(path, '');
    await (await RunLock.acquire(path, 'the run')).release();
  });

  it('of a later process with the same number counts as dead', async () => {
    const owner = { pid: process.ppid, host: (await import('node:os')).hostname(), began: '1' };
    writeFileSync(path, JSON.stringify(owner));
    await (await RunLock.acquire(path, 'the run')).release();
  });

  it('of another host is respected', async () => {
    writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', began: null }));
    await expect(RunLock.acquire(path, 'the run')).rejects.toThrow('on elsewhere');
  });
});
