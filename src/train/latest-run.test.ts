import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { latestRun, noteLatest } from './latest-run.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-latest-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function makeRun(name: string, time: number): string {
  const folder = join(root, name, 'checkpoints');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'last'), 'x\n');
  utimesSync(join(folder, 'last'), time, time);
  return join(root, name);
}

it('is the run that was noted, whatever the times say', async () => {
  makeRun('first', 2e9);
  await noteLatest(makeRun('second', 1e9));
  expect(await latestRun(root)).toBe('second');
  rmSync(join(root, 'second'), { recursive: true });
  expect(await latestRun(root)).toBe('first');
});

it('is the one with the newest mark where none was noted, and none without marks', async () => {
  expect(await latestRun(root)).toBeUndefined();
  expect(await latestRun(join(root, 'nowhere'))).toBeUndefined();
  mkdirSync(join(root, 'empty'));
  expect(await latestRun(root)).toBeUndefined();
  makeRun('a', 1e9);
  makeRun('b', 1.5e9);
  writeFileSync(join(root, '.latest'), '../a\n');
  expect(await latestRun(root)).toBe('b');
});
