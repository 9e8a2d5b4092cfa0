import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { info, unsealed } from '../../test/fixtures/checkpoint.js';
import { writeFileAtomic } from '../data/atomic-write.js';
import { checkpointMetadata, readCheckpoint } from './checkpoint.js';
import { CheckpointSaver, type CheckpointSaverOptions, type SavedCheckpoint } from './checkpoint-saver.js';
import { RunFolder } from './run-folder.js';

let root: string;
let folder: RunFolder;
let saved: SavedCheckpoint[];
let failed: string[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'resnode-saver-'));
  folder = new RunFolder({ runDir: root, project: 'birds' });
  await folder.lock();
  saved = [];
  failed = [];
});
afterEach(() => rmSync(root, { recursive: true }));

const mark = (name: string): string => readFileSync(join(folder.checkpoints, name), 'utf8').trim();
const files = (): string[] => readdirSync(folder.checkpoints).filter((name) => name.endsWith('.safetensors'));

function make(options: Partial<CheckpointSaverOptions> = {}): CheckpointSaver {
  return new CheckpointSaver({
    folder,
    keepLast: 2,
    onSaved: (each) => saved.push(each),
    onFailed: (path, { message }) => failed.push(`${basename(path)}: ${message}`),
    ...options,
  });
}

function save(
  saver: CheckpointSaver,
  epoch: number,
  accuracy?: number,
  step = 0,
): Promise<Error | undefined> {
  const bytes = unsealed(checkpointMetadata(info(epoch, step)));
  saver.save({ bytes, position: { epoch, step, globalStep: epoch * 7 + step }, accuracy });
  return saver.settle();
}

/** A disk that is full while `full` holds. */
function disk(): { full: boolean; write: (path: string, bytes: Uint8Array) => Promise<void> } {
  const state = {
    full: false,
    async write(path: string, bytes: Uint8Array): Promise<void> {
      if (state.full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      await writeFileAtomic(path, bytes);
    },
  };
  return state;
}

describe('a saver of checkpoints', () => {
  it('tells of a file when it loads and is named by its markers', async () => {
    const named: string[] = [];
    const saver = make({
      onSaved: ({ path }) => named.push(mark('last'), mark('best'), String(existsSync(path))),
    });
    expect(await save(saver, 1, 40)).toBeUndefined();
    expect(named).toEqual(['epoch-0001.safetensors', 'epoch-0001.safetensors', 'true']);
    const path = folder.checkpointPath({ epoch: 1, step: 0 });
    expect((await readCheckpoint(path)).info).toEqual(info(1));
    expect(saver.saved).toEqual({ epoch: 1, step: 0, globalStep: 7 });
  });

  it('keeps the best beside the last ones; within an epoch there is nothing to be the best', async () => {
    const saver = make();
    for (const [epoch, accuracy] of [40, 60, 50, 60].entries()) await save(saver, epoch + 1, accuracy);
    await save(saver, 4, undefined, 3);
    expect(saved.map(({ best }) => best)).toEqual([true, true, false, false, false]);
    expect(saved.at(-1)).toMatchObject({ epoch: 4, step: 3, globalStep: 31 });
    expect(mark('best')).toBe('epoch-0002.safetensors');
    expect(mark('last')).toBe('epoch-0004-step-000003.safetensors');
    expect(files()).toEqual([
      'epoch-0002.safetensors',
      'epoch-0004-step-000003.safetensors',
      'epoch-0004.safetensors',
    ]);
  });

  it('goes by the best of an earlier process', async () => {
    await save(make({ bestAccuracy: 70 }), 3, 69);
    expect(saved[0]?.best).toBe(false);
    expect(existsSync(join(folder.checkpoints, 'best'))).toBe(false);
  });

  it('keeps what there is when the disk is full, and tries anew the next time', async () => {
    const space = disk();
    const saver = make({ write: space.write });
    await save(saver, 1, 40);
    space.full = true;
    const failure = await save(saver, 2, 90);
    expect(failure?.message).toContain('ENOSPC');
    expect(failed).toEqual(['epoch-0002.safetensors: ENOSPC: no space left on device']);
    expect(files()).toEqual(['epoch-0001.safetensors']);
    expect([mark('last'), mark('best')]).toEqual(['epoch-0001.safetensors', 'epoch-0001.safetensors']);
    expect(saver.saved?.epoch).toBe(1);
    space.full = false;
    // better than the best on the disk, though not than the one that was lost
    expect(await save(saver, 3, 80)).toBeUndefined();
    expect([mark('last'), mark('best')]).toEqual(['epoch-0003.safetensors', 'epoch-0003.safetensors']);
    expect(saved.map(({ epoch }) => epoch)).toEqual([1, 3]);
  });

  it('leaves no file behind that no marker names', async () => {
    const saver = make();
    await save(saver, 1, 40);
    const real = folder.mark.bind(folder);
    let refused = 'best';
    folder.mark = async (marker, path) => {
      if (marker === refused) throw new Error('ENOSPC');
      await real(marker, path);
    };
    expect((await save(saver, 2, 50))?.message).toBe('ENOSPC');
    expect(files()).toEqual(['epoch-0001.safetensors']);
    refused = 'last';
    await save(saver, 3, 30);
    expect(files()).toEqual(['epoch-0001.safetensors']);
    expect([mark('last'), mark('best')]).toEqual(['epoch-0001.safetensors', 'epoch-0001.safetensors']);
  });

  it('warns, and counts as saved, when an old one cannot be removed', async () => {
    const warnings: string[] = [];
    folder.prune = () => Promise.reject(new Error('EROFS'));
    const saver = make({ onWarning: (message) => warnings.push(message) });
    expect(await save(saver, 1, 40)).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('EROFS')]);
  });

  it('says while it writes that it is busy, and gives the memory back once', async () => {
    const saver = make();
    const settled = save(saver, 1);
    expect(saver.busy).toBe(true);
    expect(saver.takeMemory()).toBeUndefined();
    await settled;
    expect(saver.busy).toBe(false);
    expect(saver.takeMemory()).toBeInstanceOf(ArrayBuffer);
    expect(saver.takeMemory()).toBeUndefined();
  });
});
