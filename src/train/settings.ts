import type { z } from 'zod';
import { exitCodes, UserError } from '../errors.js';
import { didYouMean } from '../models/family.js';

/**
 * Checks settings that a person or a checkpoint gave.
 * @param owner whose they are, for messages
 * @throws UserError that names the setting at fault and, for an unknown one, the nearest known
 */
export function readSettings<S extends z.ZodObject>(owner: string, schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const known = Object.keys(schema.shape);
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    throw new UserError(`${owner} has no setting '${key}'`, {
      exitCode: exitCodes.usage,
      hint: `${didYouMean(key, known)}known settings: ${known.join(', ') || 'none'}`,
    });
  }
  const path = issue?.path ?? [];
  const value = path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    given,
  );
  throw new UserError(`${owner}: ${path.map(String).join('.')} cannot be ${JSON.stringify(value)}`, {
    exitCode: exitCodes.usage,
    ...(issue ? { hint: issue.message } : {}),
  });
}
