/**
 * Runs `resnode preprocess` and prints its memory as it goes on (Linux, from /proc):
 *
 *     npm run build && npx tsx bench/pictures/prepare.ts PICTURES --out DATA [any option of preprocess]
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machine } from '../machine.js';

const words = process.argv.slice(2);
const out = words[words.indexOf('--out') + 1] ?? '';
const every = 10_000;

/** Counts the lines of the journal that were added since the last call. */
function lineCounter(path: string): () => number {
  const chunk = Buffer.alloc(1 << 20);
  let [lines, at] = [-1, 0];
  return () => {
    try {
      const file = openSync(path, 'r');
      for (;;) {
        const read = readSync(file, chunk, 0, chunk.length, at);
        if (read === 0) break;
        for (let i = 0; i < read; i++) if (chunk[i] === 10) lines++;
        at += read;
      }
      closeSync(file);
    } catch {
      // not there yet, or no longer
    }
    return Math.max(0, lines);
  };
}

/** Megabytes in memory: now, and at most so far. */
function memoryOf(pid: number): { now: number; peak: number } | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number =>
      Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
    return { now: field('VmRSS'), peak: field('VmHWM') };
  } catch {
    return undefined;
  }
}

console.log(machine());
const tool = fileURLToPath(new URL('../../bin/resnode.js', import.meta.url));
const started = performance.now();
const child = spawn(process.execPath, [tool, 'preprocess', ...words], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
const lines = lineCounter(join(out, 'preprocess.journal'));
let next = 0;
let last: { now: number; peak: number } | undefined;
console.log('pictures  seconds  RSS MB  peak MB');
const row = (pictures: number | string): void => {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const columns = [`${pictures}`.padStart(8), seconds.padStart(8), last?.now.toFixed(0).padStart(7)];
  console.log([...columns, last?.peak.toFixed(0).padStart(8)].join(' '));
};
const timer = setInterval(() => {
  last = memoryOf(child.pid ?? 0) ?? last;
  const done = lines();
  if (done < next) return;
  row(done);
  next = (Math.floor(done / every) + 1) * every;
}, 200);
child.on('close', (code) => {
  clearInterval(timer);
  row('end');
  process.exitCode = code ?? 1;
});
