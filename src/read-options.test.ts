import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { UserError } from './errors.js';
import { readOptions } from './read-options.js';

const schema = z.strictObject({
  stages: z.array(z.int().min(1)),
  momentum: z.number().min(0).max(1).default(0.9),
});

function refusal(given: unknown): { message: string; hint: string | undefined } {
  try {
    readOptions("optimizer 'sgd'", schema, given);
  } catch (error) {
    if (error instanceof UserError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('readOptions', () => {
  it('fills in defaults', () => {
    expect(readOptions('it', schema, { stages: [1] })).toEqual({ stages: [1], momentum: 0.9 });
  });

  it('names a misspelt option first, with the nearest known', () => {
    const { message, hint } = refusal({ stagez: [1] });
    expect(message).toMatch(/^optimizer 'sgd' has no option 'stagez'/);
    expect(hint).toBe("did you mean 'stages'? options of optimizer 'sgd': stages, momentum");
  });

  it('names a value out of range by its path, with the range', () => {
    const { message, hint } = refusal({ stages: [1, 0], momentum: 2 });
    expect(message).toBe("optimizer 'sgd': stages.1 cannot be 0; optimizer 'sgd': momentum cannot be 2");
    expect(hint).toMatch(/>=1.*<=1/);
  });

  it('names what is missing', () => {
    expect(refusal({}).message).toBe("optimizer 'sgd' lacks the option 'stages'");
  });

  it('refuses what is no object at all', () => {
    expect(refusal('fast').message).toMatch(/^optimizer 'sgd': /);
  });
});
