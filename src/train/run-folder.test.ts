import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, info } from '../../test/fixtures/checkpoint.js';
import { UserError } from '../errors.js';
import { checkpointMetadata, readCheckpoint } from './checkpoint.js';
import { RunFolder } from './run-folder.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-run-folder-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a run folder', () => {
  let folder: RunFolder;
  const save = async (epoch: number, step = 0): Promise<string> => {
    const path = folder.checkpointPath({ epoch, step });
    writeFileSync(path, bytesOf(checkpointMetadata(info(epoch, step))));
    await folder.mark('last', path);
    return path;
  };
  beforeEach(async () => {
    folder = new RunFolder({ runDir: join(root, 'runs'), project: 'birds' });
    await folder.lock();
  });
  afterEach(() => folder.release());

  it('has no checkpoint at first', async () => {
    expect(await folder.lastCheckpoint()).toBeUndefined();
    expect(await folder.marked('best')).toBeUndefined();
  });

  it('goes on from the marked one, not from a newer one that was never closed', async () => {
    const first = await save(1);
    await save(2);
    await folder.mark('last', first);
    expect((await folder.lastCheckpoint())?.path).toBe(first);
  });

  it('falls back on the one before, batches of an epoch being later than its start, with one warning', async () => {
    const paths = [await save(1), await save(1, 4), await save(2)];
    let warnings: string[] = [];
    const last = () => {
      warnings = [];
      return folder.lastCheckpoint({ onWarning: (message) => warnings.push(message) });
    };
    expect((await last())?.path).toBe(paths[2]);
    expect(warnings).toEqual([]);
    truncateSync(paths[2] as string, 600);
    expect((await last())?.info.step).toBe(4);
    truncateSync(paths[1] as string, 0);
    expect((await last())?.path).toBe(paths[0]);
    expect(warnings).toHaveLength(1);
    for (const path of paths) expect(warnings[0]).toContain(path);
    truncateSync(paths[0] as string, 10);
    const failing = last();
    await expect(failing).rejects.toThrow(/no checkpoint of .*birds can be read/);
    for (const path of paths) await expect(failing).rejects.toThrow(basename(path));
  });

  it('sees every cut at a page of the disk, and every tail of zeros, by the name of the file', async () => {
    const first = await save(1);
    const path = folder.checkpointPath({ epoch: 2, step: 0 });
    const whole = bytesOf(checkpointMetadata(info(2)), 65_000);
    await folder.mark('last', path);
    const page = 4096;
    expect(whole.length).toBeGreaterThan(60 * page);
    for (let cut = 0; cut < whole.length; cut += page) {
      const zeros = whole.slice().fill(0, cut);
      for (const bytes of [whole.subarray(0, cut), zeros]) {
        writeFileSync(path, bytes);
        const warnings: string[] = [];
        const last = await folder.lastCheckpoint({ onWarning: (message) => warnings.push(message) });
        expect(last?.path, `cut at ${cut}`).toBe(first);
        expect(warnings).toEqual([expect.stringContaining(`${path} is damaged`)]);
      }
    }
    writeFileSync(path, whole);
    expect((await folder.lastCheckpoint())?.path).toBe(path);
  });

  it('says when the marked one is gone, and never begins anew for that', async () => {
    const paths = [await save(1), await save(2), await save(3)];
    await folder.mark('last', paths[1] as string);
    rmSync(paths[1] as string);
    const warnings: string[] = [];
    const last = await folder.lastCheckpoint({ onWarning: (message) => warnings.push(message) });
    expect(last?.path).toBe(paths[0]);
    expect(warnings).toEqual([expect.stringMatching(/epoch-0002.* is gone; using .*epoch-0001/)]);
    rmSync(paths[0] as string);
    await expect(folder.lastCheckpoint()).rejects.toThrow(/epoch-0002.* is gone/);
  });

  it('goes by marks and names, not by the times of files', async () => {
    const paths: string[] = [];
    for (const epoch of [1, 2, 9999, 10_000]) paths.push(await save(epoch));
    // as after a clock that was set back: the later, the older
    paths.forEach((path, index) => {
      utimesSync(path, 2e9 - index * 1e8, 2e9 - index * 1e8);
    });
    expect((await folder.lastCheckpoint())?.path).toBe(paths[3]);
    await folder.prune(2);
    expect((await folder.list()).map(({ path }) => path)).toEqual([paths[3], paths[2]]);
    truncateSync(paths[3] as string, 5);
    expect((await folder.lastCheckpoint())?.path).toBe(paths[2]);
  });

  it('lists only names that it gives itself', async () => {
    const path = await save(3, 12);
    for (const name of [
      'epoch-3',
      'epoch-00003',
      'epoch-0003 copy',
      'epoch-0003-step-000000',
      '.epoch-0004',
    ]) {
      writeFileSync(join(folder.checkpoints, `${name}.safetensors`), '');
    }
    expect(await folder.list()).toEqual([{ path, epoch: 3, step: 12 }]);
  });

  it('gives files beyond the last no place among those to keep, and leaves them alone', async () => {
    const paths: string[] = [];
    for (let epoch = 1; epoch <= 6; epoch++) paths.push(await save(epoch));
    await folder.mark('last', paths[3] as string);
    await folder.prune(2);
    const kept = (await folder.list()).map(({ path }) => path).toReversed();
    expect(kept).toEqual([paths[2], paths[3], paths[4], paths[5]]);
  });

  it('sets files aside under a number of their own', async () => {
    const [first, second] = [await save(1), await save(2)];
    const aside = await folder.setAside([second]);
    expect(readdirSync(aside)).toEqual([basename(second)]);
    expect(await folder.setAside([first])).toBe(join(folder.checkpoints, 'replaced', '2'));
    expect(await folder.list()).toEqual([]);
  });

  it('notes which run saved last', async () => {
    await save(1);
    expect(readFileSync(join(root, 'runs', '.latest'), 'utf8')).toBe('birds\n');
  });

  it('does not pass over a checkpoint of a later version', async () => {
    await save(1);
    const path = await save(2);
    writeFileSync(path, bytesOf({ ...checkpointMetadata(info(2)), version: '2' }));
    await expect(folder.lastCheckpoint()).rejects.toThrow(/version 2/);
  });

  it('keeps the newest and the best', async () => {
    const paths: string[] = [];
    for (let epoch = 1; epoch <= 6; epoch++) paths.push(await save(epoch));
    await folder.mark('best', paths[1] as string);
    await folder.prune(2);
    const kept = [];
    for (const path of paths) if (await readCheckpoint(path).catch(() => undefined)) kept.push(path);
    expect(kept).toEqual([paths[1], paths[4], paths[5]]);
  });

  it('goes away again when nothing was begun in it', async () => {
    const other = new RunFolder({ runDir: join(root, 'runs'), project: 'other' });
    await other.lock();
    await other.release();
    await expect(other.lastCheckpoint()).resolves.toBeUndefined();
    expect(other.begun).toBe(false);
  });

  it('never takes a folder with something else in it', async () => {
    writeFileSync(join(root, 'thesis.txt'), 'years of work');
    const other = new RunFolder({ runDir: join(root, '..'), project: root.slice(root.lastIndexOf('/') + 1) });
    await folder.release();
    rmSync(join(root, 'runs'), { recursive: true, force: true });
    await expect(other.lock()).rejects.toThrow(/holds something else: thesis.txt/);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', 'a\0'])('cannot be named %j', (project) => {
    expect(() => new RunFolder({ project })).toThrow(UserError);
  });
});
