import { describe, expect, it } from 'vitest';
import { chooseEngine } from './choose.js';

describe('chooseEngine', () => {
  it('takes what is asked for', async () => {
    expect(await chooseEngine({ engine: 'onednn' })).toEqual({ engine: 'onednn', device: 'cpu' });
    const onCpu = await chooseEngine({ engine: 'torch', device: 'cpu' });
    expect(onCpu).toEqual({ engine: 'torch', device: 'cpu' });
    expect(await chooseEngine({ device: 'cpu' })).toEqual({ engine: 'onednn', device: 'cpu' });
  });

  it('runs a GPU by LibTorch', async () => {
    expect(await chooseEngine({ device: 'cuda:1' })).toEqual({ engine: 'torch', device: 'cuda:1' });
    await expect(chooseEngine({ engine: 'onednn', device: 'cuda' })).rejects.toThrow('runs on the CPU alone');
  });

  it('gives each process of a machine the next GPU, round and round', async () => {
    const gpus = ['cuda:0', 'cuda:1'];
    const chosen = await Promise.all(
      [0, 1, 2].map((turn) => chooseEngine({ engine: 'torch' }, { turn, gpus })),
    );
    expect(chosen.map(({ device }) => device)).toEqual(['cuda:0', 'cuda:1', 'cuda:0']);
    expect((await chooseEngine({ engine: 'torch' }, { turn: 1, gpus: [] })).device).toBe('cpu');
    const asked = await chooseEngine({ engine: 'torch', device: 'cuda:0' }, { turn: 1, gpus });
    expect(asked.device).toBe('cuda:0');
  });

  it('refuses names that it does not know', async () => {
    await expect(chooseEngine({ engine: 'tensorflow' as 'torch' })).rejects.toThrow("no engine 'tensorflow'");
    await expect(chooseEngine({ device: 'gpu' })).rejects.toThrow("'gpu' is no device");
  });
});
