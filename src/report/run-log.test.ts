import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from './log-record.js';
import { RunLog } from './run-log.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-log-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const failures: string[] = [];
const open = (...parts: string[]): RunLog =>
  new RunLog(join(root, ...parts), { onFailure: ({ message }) => void failures.push(message) });
const record = (text: string): LogRecord => ({ level: 'info', event: 'test', text });

/** The texts of all files whose name begins with `prefix`. */
function texts(prefix: string): string[] {
  return readdirSync(root)
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').split('\n').filter(Boolean))
    .map((line) => line.replace(/^\S+ /, ''))
    .sort((a, b) => Number(a) - Number(b));
}

describe('a log file', () => {
  it('that is renamed again and again loses no line, and a new one begins', async () => {
    const log = open('a.log');
    const lines = 400;
    for (let number = 0; number < lines; number++) {
      log.write(record(String(number)));
      if (number % 3 === 0) await log.flush();
      else await new Promise(setImmediate);
      if (number % 50 === 49) {
        await log.flush();
        renameSync(join(root, 'a.log'), join(root, `a.log.${number}`));
      }
    }
    await log.flush();
    expect(texts('a.log')).toEqual(Array.from({ length: lines }, (_, number) => String(number)));
    expect(readdirSync(root)).toHaveLength(lines / 50);
  });

  it('renamed between two writes that nobody waits for loses none either', async () => {
    const log = open('a.log');
    for (let number = 0; number < 60; number++) {
      log.write(record(String(number)));
      await new Promise(setImmediate);
      try {
        renameSync(join(root, 'a.log'), join(root, `a.log.${number}`));
      } catch {
        // not there yet
      }
    }
    await log.flush();
    expect(texts('a.log')).toEqual(Array.from({ length: 60 }, (_, number) => String(number)));
  });

  it('that cannot be written for a while has all lines afterwards', async () => {
    failures.length = 0;
    const log = open('a.log');
    await mkdir(join(root, 'a.log'));
    for (const text of ['1', '2', '3']) log.write(record(text));
    await log.flush();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/EISDIR/);
    await rmdir(join(root, 'a.log'));
    log.write(record('4'));
    await log.flush();
    expect(texts('a.log')).toEqual(['1', '2', '3', '4']);
  });

  it('says how many lines it had to drop', async () => {
    const log = open('a.log');
    await mkdir(join(root, 'a.log'));
    const long = 'x'.repeat(100_000);
    for (let number = 0; number < 20; number++) log.write(record(long));
    await log.flush();
    await rmdir(join(root, 'a.log'));
    log.write(record('last'));
    await log.flush();
    const lines = readFileSync(join(root, 'a.log'), 'utf8').split('\n').filter(Boolean);
    const lost = Number(/ (\d+) lines could not be written here$/.exec(lines[0] ?? '')?.[1]);
    expect(lost).toBeGreaterThan(5);
    expect(lines).toHaveLength(1 + 20 - lost + 1);
  });

  it('makes its folder', async () => {
    const log = open('deep', 'er', 'a.log');
    log.write(record('1'));
    await log.flush();
    expect(readFileSync(join(root, 'deep', 'er', 'a.log'), 'utf8')).toMatch(/^\S+Z 1\n$/);
  });

  it('is appended to', async () => {
    writeFileSync(join(root, 'a.log'), 'before\n');
    const log = open('a.log');
    log.write(record('after'));
    await log.flush();
    expect(readFileSync(join(root, 'a.log'), 'utf8')).toMatch(/^before\n\S+ after\n$/);
  });
});
