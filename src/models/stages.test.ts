import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import { checkStages, formatStages, parseStages } from './stages.js';

describe('parseStages', () => {
  it('reads what people type', () => {
    const expected = [
      [128, 2],
      [256, 3],
    ];
    for (const text of ['128x2,256x3', ' 128x2 , 256 x 3 ', '128X2,256×3', '128*2,256*3']) {
      expect(parseStages(text)).toEqual(expected);
    }
  });

  it('reads back what formatStages writes', () => {
    const stage = fc.tuple(
      fc.integer({ min: 1, max: 512 }).map((quarter) => 4 * quarter),
      fc.integer({ min: 1, max: 40 }),
    );
    fc.assert(
      fc.property(fc.array(stage, { minLength: 1, maxLength: 6 }), (stages) => {
        expect(parseStages(formatStages(stages))).toEqual(stages);
      }),
    );
  });

  it.each([
    ['', 'the stage list is empty'],
    ['  ', 'the stage list is empty'],
    ['128', "stage 1 of '128' is '128'"],
    ['128x2,', "stage 2 of '128x2,' is ''"],
    ['128x2;256x2', 'not CHANNELSxBLOCKS'],
    ['128x2,-256x2', "stage 2 of '128x2,-256x2' is '-256x2'"],
    ['128x1.5', 'not CHANNELSxBLOCKS'],
    ['128x2,250x2', 'stage 2 of 128x2,250x2: 250 output channels'],
    ['0x2', 'stage 1 of 0x2: 0 output channels'],
    ['128x0', 'stage 1 of 128x0: 0 blocks'],
    ['128x1001', '1001 blocks'],
    ['99999999999999999999x1', 'output channels'],
  ])('refuses %o', (text, message) => {
    const parse = () => parseStages(text);
    expect(parse).toThrow(UserError);
    expect(parse).toThrow(message);
  });

  it('names channels that would do', () => {
    expect(hintOf(() => parseStages('250x2'))).toContain('for example 248');
    expect(hintOf(() => parseStages('2x2'))).not.toContain('for example 0');
  });
});

describe('checkStages', () => {
  it('refuses no stages at all', () => {
    expect(() => checkStages([])).toThrow('at least one stage');
  });
});

function hintOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.hint;
  }
  return undefined;
}
