import { describe, expect, it } from 'vitest';
import { type EnginePrecisions, enginePrecisions } from '../../engines/precisions.js';
import type { TrainEvent } from '../events.js';
import { choosePrecision, decidePrecision } from './choose-precision.js';
import type { Precision } from './precision.js';

const known = (reason?: string, bf16Pays = true): EnginePrecisions => ({
  abilities: {
    fp32: { supported: true },
    bf16: reason === undefined ? { supported: true } : { supported: false, reason },
    fp16: { supported: false, reason: 'fp16 is for GPUs' },
  },
  bf16Pays,
});

describe('the precision of a run', () => {
  it.each([
    ['where it pays', known(), 'bf16', 'the engine onednn runs it faster than fp32 here'],
    ['where it does not', known(undefined, false), 'fp32', 'not bf16, it is not known to be faster here'],
    ['where there is none', known('no AVX-512', false), 'fp32', 'not bf16, no AVX-512'],
  ])('auto, bf16 %s', (_, engine, precision, why) => {
    expect(decidePrecision('auto', 'onednn', engine)).toEqual({ precision, why });
  });

  it('auto says what it took, and fp32 nothing', async () => {
    const events: TrainEvent[] = [];
    const choice = { engine: 'onednn', listener: (event: TrainEvent) => void events.push(event) } as const;
    expect(await choosePrecision('fp32', choice)).toBe('fp32');
    expect(events).toEqual([]);
    const precision = await choosePrecision('auto', choice);
    const { bf16Pays } = await enginePrecisions.onednn({});
    expect(precision).toBe(bf16Pays ? 'bf16' : 'fp32');
    const text = expect.stringMatching(new RegExp(`^precision ${precision}: .+`));
    expect(events.splice(0)).toEqual([{ kind: 'message', text }]);
    // by default it is quiet about fp32
    expect(await choosePrecision(undefined, choice)).toBe(precision);
    expect(events).toEqual(bf16Pays ? [{ kind: 'message', text }] : []);
  });

  it('auto is what all ranks can do', async () => {
    const choice = { engine: 'onednn', listener: () => {} } as const;
    const among = (other: Precision) => ({
      gather: async <T>(own: readonly T[]) => [
        ...own,
        { precision: other, why: 'not bf16, no AVX-512' } as T,
      ],
    });
    const own = await choosePrecision('auto', choice);
    expect(await choosePrecision('auto', { ...choice, world: among('fp32') })).toBe('fp32');
    expect(await choosePrecision('auto', { ...choice, world: among('bf16') })).toBe(own);
    const { bf16 } = (await enginePrecisions.onednn({})).abilities;
    // what was asked for is not asked about
    const asked = choosePrecision('bf16', { ...choice, world: among('fp32') });
    if (bf16.supported) expect(await asked).toBe('bf16');
    else await expect(asked).rejects.toThrow(bf16.reason);
  });

  it('that is asked for and cannot be is refused with the alternatives', () => {
    expect(() => decidePrecision('fp16', 'onednn', known())).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringMatching(/bf16.*--engine torch/) }),
    );
  });
});
