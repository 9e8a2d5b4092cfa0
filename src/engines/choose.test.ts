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

  it('refuses names that it does not know', async () => {
    await expect(chooseEngine({ engine: 'tensorflow' as 'torch' })).rejects.toThrow("no engine 'tensorflow'");
    await expect(chooseEngine({ device: 'gpu' })).rejects.toThrow("'gpu' is no device");
  });
});
