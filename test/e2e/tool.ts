import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { listCheckpoints } from '../../src/train/list-checkpoints.js';
import { RunFolder } from '../../src/train/run-folder.js';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningTool {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** What it wrote to stderr so far. */
  said(): string;
}

const tool = new URL('../../bin/resnode.js', import.meta.url).pathname;

/**
 * Starts the tool as a person would.
 * @param launcher what to start instead, with these arguments
 */
export function start(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  launcher?: string,
): RunningTool {
  const child = spawn(launcher ?? process.execPath, launcher ? args : [tool, ...args], {
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
  return { child, outcome, said: () => stderr };
}

/** Runs the tool to its end. */
export function run(...args: string[]): Promise<Outcome> {
  return start(args).outcome;
}

/**
 * Waits for something that a running tool brings about.
 * @throws Error with what it said when it ends before
 */
export async function until(ready: () => boolean, { outcome }: RunningTool): Promise<void> {
  let over: Outcome | undefined;
  void outcome.then((ended) => {
    over = ended;
  });
  while (!ready()) {
    if (over) throw new Error(`ended early with ${over.status}: ${over.stderr}`);
    await sleep(20);
  }
}

/** Every tensor of a run's last checkpoint by its name, weights and optimizer state alike. */
export async function finalTensors(runDir: string, project: string): Promise<Map<string, string>> {
  const path = await new RunFolder({ runDir, project }).marked('last');
  const { tensors } = await readCheckpoint(path ?? '');
  return new Map([...tensors].map(([name, tensor]) => [name, Buffer.from(tensor.bytes).toString('base64')]));
}

/** Names of a run's checkpoints that are not whole; of a run without any, none. */
export async function damagedCheckpoints(runDir: string, project: string): Promise<string[]> {
  const folder = new RunFolder({ runDir, project });
  if ((await folder.list()).length === 0) return [];
  const { checkpoints } = await listCheckpoints({ runDir, project });
  return checkpoints
    .filter(({ state }) => state !== 'whole')
    .map(({ path, problem }) => `${path}: ${problem}`);
}

/**
 * A file system of its own size in memory.
 * @returns undefined where this process may not mount
 */
export function smallDisk(folder: string, size: string): SmallDisk | undefined {
  mkdirSync(folder);
  const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'ignore' });
  try {
    mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder);
  } catch {
    return undefined;
  }
  return {
    async setWritable(writable) {
      // refused while a file is open for writing
      for (;;) {
        try {
          return mount('-o', `remount,${writable ? 'rw' : 'ro'},size=${size}`, folder);
        } catch {
          await sleep(5);
        }
      }
    },
    remove: () => void execFileSync('umount', [folder]),
  };
}

export interface SmallDisk {
  setWritable(writable: boolean): Promise<void>;
  remove(): void;
}

/** A temporary folder for one file of tests. */
export function scratch(): { path: (...parts: string[]) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'resnode-e2e-'));
  return {
    path: (...parts) => join(folder, ...parts),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Flags of a training of seconds, for pictures of `writePictures`. */
export const smallTraining: readonly string[] = [
  ...['--stages', '32x1,64x1', '--crop', '32', '--batch-size', '8', '--threads', '1'],
];

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
