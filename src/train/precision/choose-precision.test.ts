import { describe, expect, it } from 'vitest';
import { type EnginePrecisions, enginePrecisions } from '../../engines/precisions.js';
import type { TrainEvent } from '../events.js';
import { choosePrecision, decidePrecision } from './choose-precision.js';

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
    ['where it does not', known(undefined, false), 'fp32', 'not bf16, it would not be faster'],
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
    const { abilities } = await enginePrecisions.onednn({});
    expect(precision).toBe(abilities.bf16.supported ? 'bf16' : 'fp32');
    const text = expect.stringMatching(new RegExp(`^precision ${precision}: .+`));
    expect(events.at(-1)).toEqual({ kind: 'message', text });
  });

  it('that is asked for and cannot be is refused with the alternatives', () => {
    expect(() => decidePrecision('fp16', 'onednn', known())).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringMatching(/bf16.*--engine torch/) }),
    );
  });
});
