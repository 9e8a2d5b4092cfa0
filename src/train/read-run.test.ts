import { mkdirSync, truncateSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from '../../test/e2e/tool.js';
import { madeHistory, madeInfo, writeMadeRun } from '../../test/made-run.js';
import { readRun } from './read-run.js';

describe('readRun', () => {
  const { path, remove } = scratch();
  afterAll(remove);
  const first = writeMadeRun(path('runs', 'birds'), madeInfo(madeHistory(2)));
  const second = writeMadeRun(path('runs', 'birds'), madeInfo(madeHistory(3)));
  const runDir = path('runs');

  it('takes a folder, a name and a file', async () => {
    const byFolder = await readRun(path('runs', 'birds'));
    expect(byFolder).toMatchObject({ name: 'birds', path: path('runs', 'birds'), info: { epoch: 3 } });
    expect(await readRun(`${path('runs', 'birds')}/`)).toEqual(byFolder);
    expect(await readRun('birds', { runDir })).toEqual(byFolder);
    expect(await readRun(first)).toMatchObject({ name: 'epoch-0002', info: { epoch: 2 } });
  });

  it('says which runs there are when there is no such one', async () => {
    await expect(readRun('brids', { runDir })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining("no run 'brids'"),
      hint: "did you mean 'birds'? runs there: birds",
    });
    await expect(readRun('x', { runDir: path('none') })).rejects.toMatchObject({
      hint: expect.stringContaining('--run-dir'),
    });
    await expect(readRun(path('gone.safetensors'))).rejects.toThrow(/no run/);
    mkdirSync(path('runs', 'fresh', 'checkpoints'), { recursive: true });
    await expect(readRun('fresh', { runDir })).rejects.toThrow(/no checkpoint yet/);
  });

  it('falls back to the checkpoint before a damaged one', async () => {
    truncateSync(second, 100);
    const warnings: string[] = [];
    const run = await readRun('birds', { runDir, onWarning: (message) => void warnings.push(message) });
    expect(run.info.epoch).toBe(2);
    expect(warnings).toEqual([expect.stringMatching(/damaged.*using .* instead/)]);
  });
});
