import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningTool {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

const tool = new URL('../../bin/resnode.js', import.meta.url).pathname;

/** Starts the tool as a person would. */
export function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningTool {
  const child = spawn(process.execPath, [tool, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, outcome };
}

/** Runs the tool to its end. */
export function run(...args: string[]): Promise<Outcome> {
  return start(args).outcome;
}

/** A temporary folder for one file of tests. */
export function scratch(): { path: (...parts: string[]) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'resnode-e2e-'));
  return {
    path: (...parts) => join(folder, ...parts),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Pictures that a little network learns in a few epochs: each class has a colour of its own, with noise. */
export async function writePictures(folder: string, classes: readonly string[], each: number): Promise<void> {
  for (const [index, label] of classes.entries()) {
    mkdirSync(join(folder, label), { recursive: true });
    for (let number = 0; number < each; number++) {
      const background = { r: (index * 97) % 256, g: (index * 57 + 90) % 256, b: (200 - index * 41) & 255 };
      const noise = { type: 'gaussian' as const, mean: 60 + index * 40, sigma: 25 };
      await sharp({
        create: { width: 44 + (number % 5), height: 40 + (number % 3), channels: 3, background, noise },
      })
        .tint(background)
        .jpeg()
        .toFile(join(folder, label, `picture ${number}.jpg`));
    }
  }
}
