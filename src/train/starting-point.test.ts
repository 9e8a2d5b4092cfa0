import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointBytes } from '../../test/fixtures/checkpoint.js';
import { RunFolder } from './run-folder.js';
import { findStart, type StartChoice, settleStart } from './starting-point.js';

let root: string;
let birds: RunFolder;
let warnings: string[];
const warn = (message: string): void => void warnings.push(message);
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'resnode-start-'));
  birds = await open('birds');
  warnings = [];
});
afterEach(() => rmSync(root, { recursive: true }));

async function open(project: string): Promise<RunFolder> {
  const folder = new RunFolder({ runDir: root, project });
  await folder.lock();
  return folder;
}

/** Saves as a training would whose accuracy grows. */
async function save(epoch: number, step = 0): Promise<string> {
  const path = birds.checkpointPath({ epoch, step });
  writeFileSync(path, checkpointBytes(epoch, step, { best: { epoch: epoch || 1, accuracy: 10 * epoch } }));
  await birds.mark('last', path);
  if (step === 0) await birds.mark('best', path);
  return path;
}

const names = (folder: RunFolder): string[] => readdirSync(folder.checkpoints).sort();
const mark = async (folder: RunFolder, marker: 'last' | 'best'): Promise<string | undefined> => {
  const path = await folder.marked(marker);
  return path && basename(path, '.safetensors');
};

async function start(folder: RunFolder, choice: Partial<StartChoice> = {}): Promise<number | undefined> {
  const found = await findStart(folder, { project: 'birds', runDir: root, ...choice }, warn);
  return settleStart(folder, found, warn);
}

describe('a training starts', () => {
  it('from nothing in a new run', async () => {
    expect(await findStart(birds, { project: 'birds', runDir: root }, warn)).toBeUndefined();
    expect(await start(birds)).toBeUndefined();
  });

  it('from the last checkpoint, with the accuracy of the best', async () => {
    for (const epoch of [1, 2]) await save(epoch);
    await save(2, 5);
    const found = await findStart(birds, { project: 'birds', runDir: root }, warn);
    expect(found).toMatchObject({ kind: 'last', checkpoint: { info: { epoch: 2, step: 5 } } });
    expect(await start(birds)).toBe(20);
    expect(warnings).toEqual([]);
  });

  it('from the one before a damaged last, and then the best is one that counts', async () => {
    for (const epoch of [1, 2, 3]) await save(epoch);
    truncateSync(birds.checkpointPath({ epoch: 3, step: 0 }), 99);
    expect(await start(birds)).toBe(20);
    expect(await mark(birds, 'best')).toBe('epoch-0002');
    expect(warnings).toHaveLength(1);
  });
});

describe('--resume FILE', () => {
  it('moves what came later out of the way and says where', async () => {
    const path = await save(1);
    for (const epoch of [2, 3]) await save(epoch);
    await save(3, 4);
    expect(await start(birds, { resume: path })).toBe(10);
    expect(names(birds)).toEqual(['best', 'epoch-0001.safetensors', 'last', 'replaced']);
    expect([await mark(birds, 'last'), await mark(birds, 'best')]).toEqual(['epoch-0001', 'epoch-0001']);
    const aside = join(birds.checkpoints, 'replaced', '1');
    expect(readdirSync(aside)).toHaveLength(3);
    expect(warnings).toEqual([`going back to ${path}: 3 later checkpoints were moved to ${aside}`]);
  });

  it('takes one back that was moved away', async () => {
    const path = await save(1);
    await save(2);
    await start(birds, { resume: path });
    // another second epoch
    writeFileSync(birds.checkpointPath({ epoch: 2, step: 0 }), checkpointBytes(2, 0, { seed: 99 }));
    const moved = join(birds.checkpoints, 'replaced', '1', 'epoch-0002.safetensors');
    expect(await start(birds, { resume: moved })).toBe(20);
    const last = await birds.lastCheckpoint();
    expect(last?.path).toBe(birds.checkpointPath({ epoch: 2, step: 0 }));
    expect(last?.info.seed).toBe(3);
    expect(existsSync(join(birds.checkpoints, 'replaced', '2', 'epoch-0002.safetensors'))).toBe(true);
    expect(existsSync(moved)).toBe(true);
  });

  it('of the last one moves nothing', async () => {
    await save(1);
    const path = await save(2);
    await start(birds, { resume: path });
    expect(names(birds)).not.toContain('replaced');
    expect(warnings).toEqual([]);
  });

  it('refuses a damaged file and a file of another place, and changes nothing', async () => {
    const path = await save(1);
    await save(2);
    const copy = join(root, basename(path));
    copyFileSync(path, copy);
    const before = names(birds);
    await expect(start(birds, { resume: copy })).rejects.toThrow(/is not a checkpoint of the run .*birds/);
    const odd = join(birds.checkpoints, 'mine.safetensors');
    copyFileSync(path, odd);
    await expect(start(birds, { resume: odd })).rejects.toThrow(/mine.* is not a checkpoint of the run/);
    rmSync(odd);
    truncateSync(path, 50);
    await expect(start(birds, { resume: path })).rejects.toThrow(/epoch-0001.* is damaged/);
    await expect(start(birds, { resume: join(root, 'none') })).rejects.toThrow(/there is no file/);
    expect(names(birds)).toEqual(before);
    expect(await mark(birds, 'last')).toBe('epoch-0002');
  });
});

describe('--fork NAME', () => {
  it("starts a new run from the project's last, and brings its best", async () => {
    for (const epoch of [1, 2]) await save(epoch);
    const path = birds.checkpointPath({ epoch: 3, step: 0 });
    writeFileSync(path, checkpointBytes(3, 0, { best: { epoch: 2, accuracy: 20 }, history: worse() }));
    await birds.mark('last', path);
    const fork = await open('fork');
    expect(await start(fork, { fork: 'fork' })).toBe(20);
    expect([await mark(fork, 'last'), await mark(fork, 'best')]).toEqual(['epoch-0003', 'epoch-0002']);
    const copy = readFileSync(fork.checkpointPath({ epoch: 3, step: 0 }));
    expect(copy.equals(readFileSync(path))).toBe(true);
    expect(names(birds)).toHaveLength(5);
  });

  it('starts from a file of anywhere', async () => {
    const path = await save(1, 4);
    await save(2);
    const copy = join(root, 'copy.safetensors');
    copyFileSync(path, copy);
    const fork = await open('fork');
    expect(await start(fork, { project: 'whatever', fork: 'fork', resume: copy })).toBeUndefined();
    expect(await mark(fork, 'last')).toBe('epoch-0001-step-000004');
    expect(await mark(fork, 'best')).toBeUndefined();
  });

  it('refuses a run that exists, and a project without checkpoints', async () => {
    await save(1);
    await expect(start(birds, { fork: 'birds' })).rejects.toThrow(/birds exists already/);
    const fork = await open('fork');
    await expect(start(fork, { fork: 'fork', project: 'nobody' })).rejects.toThrow(/nothing to fork.*nobody/);
  });
});

/** Three epochs, the second of which was the best. */
function worse() {
  const each = { loss: 1, trainAccuracy: 50, valLoss: 1, valTop5: 99, learningRate: 0.1, seconds: 2 };
  return [10, 20, 15].map((valAccuracy, index) => ({ ...each, epoch: index + 1, valAccuracy }));
}
