import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  damagedCheckpoints,
  finalTensors,
  type RunningTool,
  run,
  type SmallDisk,
  scratch,
  smallDisk,
  start,
  until,
  writePictures,
} from './tool.js';

const { path, remove } = scratch();
const trainArgs = (project: string, runDir: string, epochs: number): string[] => [
  ...['train', '--data', path('data'), '--project', project, '--run-dir', runDir, '--epochs', String(epochs)],
  ...['--stages', '32x1', '--crop', '32', '--batch-size', '8', '--threads', '1', '--workers', '1'],
];

beforeAll(async () => {
  await writePictures(path('pictures'), ['cat', 'dog'], 24);
  const made = await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40');
  expect(made.status, made.stderr).toBe(0);
}, 120_000);
afterAll(remove);

const marker = (runDir: string, name: 'last' | 'best'): string => join(runDir, 'run', 'checkpoints', name);
const lastOf = (runDir: string): string => readFileSync(marker(runDir, 'last'), 'utf8');

/** Takes all the room that is left. @returns how to give it back */
function fill(folder: string): () => void {
  const file = join(folder, 'filler');
  try {
    for (let size = 1 << 16; ; ) {
      try {
        writeFileSync(file, Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        if (size === 512) throw error;
        size /= 2;
      }
    }
  } catch {
    return () => unlinkSync(file);
  }
}

/** Stops a training that cannot save. */
async function stopInVain(running: RunningTool, disk: string): Promise<void> {
  running.child.kill('SIGTERM');
  const { status, stderr } = await running.outcome;
  expect(status).toBe(1);
  expect(stderr).toMatch(/error: the last checkpoint could not be written/);
  expect(stderr).not.toMatch(/\n\s+at |defect of resnode/);
  expect(await damagedCheckpoints(disk, 'run')).toEqual([]);
}

describe('a training whose disk', () => {
  let disk: SmallDisk | undefined;
  const folder = path('disk');
  beforeAll(() => {
    disk = smallDisk(folder, '4m');
  });
  afterAll(() => disk?.remove());

  it('fills up keeps what it has, goes on with a warning, and saves again when there is room', async (context) => {
    if (!disk) return context.skip('this process may not mount a small file system');
    const args = trainArgs('run', folder, 5000);
    const first = start(args);
    await until(() => existsSync(marker(folder, 'last')), first);
    let free = fill(folder);
    await until(() => /warning: cannot save .*ENOSPC.*tries again/.test(first.said()), first);
    expect(await damagedCheckpoints(folder, 'run')).toEqual([]);
    const before = lastOf(folder);
    free();
    await until(() => lastOf(folder) !== before, first);
    free = fill(folder);
    const warnings = first.said().split('cannot save').length;
    await until(() => first.said().split('cannot save').length > warnings, first);
    await stopInVain(first, folder);
    free();
    const again = start(args);
    const kept = lastOf(folder);
    await until(() => lastOf(folder) !== kept, again);
    again.child.kill('SIGTERM');
    expect((await again.outcome).status).toBe(143);
    expect(again.said()).toMatch(/resume from/);
  });

  it('becomes read-only keeps what it has and goes on with a warning', async (context) => {
    const readOnly = path('read-only');
    const protect = disk
      ? smallDisk(readOnly, '4m')
      : process.getuid?.() !== 0
        ? protection(readOnly)
        : undefined;
    if (!protect) return context.skip('root may write everywhere, and this process may not mount');
    try {
      const args = trainArgs('run', readOnly, 5000);
      const running = start(args);
      await until(() => existsSync(marker(readOnly, 'last')), running);
      await protect.setWritable(false);
      await until(() => /warning: cannot save .*(EROFS|EACCES)/.test(running.said()), running);
      await stopInVain(running, readOnly);
      expect((await run(...args)).stderr).toMatch(/error: cannot write the run folder/);
      await protect.setWritable(true);
      const before = lastOf(readOnly);
      const again = start(args);
      await until(() => lastOf(readOnly) !== before, again);
      again.child.kill('SIGTERM');
      expect((await again.outcome).status).toBe(143);
    } finally {
      await protect.setWritable(true);
      protect.remove();
    }
  });
});

/** Takes away the permission to write, which only root does not need. */
function protection(runDir: string): SmallDisk {
  const folder = join(runDir, 'run', 'checkpoints');
  return {
    async setWritable(writable) {
      if (existsSync(folder)) chmodSync(folder, writable ? 0o755 : 0o555);
    },
    remove() {},
  };
}

describe('a clock that was set back', () => {
  /** The tool's own clock, ten years ago. */
  const clock = `const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...args) { if (args.length) super(...args); else super(Real.now() - 3e11); }
      static now() { return Real.now() - 3e11; }
    };`;
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock)}` };

  it('changes neither where a run goes on, nor what is kept, nor which run is the last', async () => {
    const runs = path('clock');
    expect((await run(...trainArgs('whole', runs, 4))).status).toBe(0);
    expect((await run(...trainArgs('run', runs, 2))).status).toBe(0);
    for (const project of ['whole', 'run']) {
      const folder = join(runs, project, 'checkpoints');
      // written in the future, the first ones last
      readdirSync(folder).forEach((name, index) => {
        utimesSync(join(folder, name), 2.2e9 - index, 2.2e9 - index);
      });
    }
    const { status, stderr } = await start([...trainArgs('run', runs, 4), '--keep-last', '1'], environment)
      .outcome;
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/resume from \S+ \(epoch 2, step 0\)/);
    expect(readFileSync(join(runs, 'run', 'output.log'), 'utf8')).toMatch(/\n20[01]\d-.* resume from/);
    expect(await finalTensors(runs, 'run')).toEqual(await finalTensors(runs, 'whole'));
    const best = readFileSync(marker(runs, 'best'), 'utf8').trim();
    const kept = readdirSync(join(runs, 'run', 'checkpoints')).filter((name) => name.startsWith('epoch'));
    expect(kept.sort()).toEqual([...new Set([best, 'epoch-0004.safetensors'])].sort());
    const tested = await run('test', '--run-dir', runs, '--threads', '1', '--json');
    expect(JSON.parse(tested.stdout)).toMatchObject({ checkpoint: expect.stringContaining('clock/run/') });
  });
});
