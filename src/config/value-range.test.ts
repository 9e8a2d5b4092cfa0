import { expect, it } from 'vitest';
import { z } from 'zod';
import { valueRange } from './value-range.js';

it.each<[z.ZodType, string]>([
  [z.int().min(1).max(256), 'a whole number from 1 to 256'],
  [z.int().min(1), 'a whole number of at least 1'],
  [z.int(), 'a whole number'],
  [z.number().min(0).lt(1), 'a number from 0 to below 1'],
  [z.number().positive().lt(1), 'a number above 0 and below 1'],
  [z.number().positive(), 'a number above 0'],
  [z.number().max(3), 'a number of at most 3'],
  [z.number().gt(0).max(3), 'a number above 0 and at most 3'],
  [z.enum(['xavier', 'kaiming', 'zero']), 'xavier, kaiming or zero'],
  [z.boolean().optional(), 'true or false'],
  [z.literal('a'), 'a'],
  [z.array(z.int()), 'a list'],
  [z.union([z.string(), z.looseObject({ name: z.string() })]), 'text or an object'],
])('a range in words %#', (schema, words) => {
  expect(valueRange(schema)).toBe(words);
});
