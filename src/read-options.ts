import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { exitCodes, UserError } from './errors.js';

/**
 * Checks options that a person, a configuration or a checkpoint gave.
 * @param owner whose options they are, for messages: `optimizer 'sgd'`, `transform RandomCrop`
 * @param range what an option may be, for the hint; by default the schema's own words
 * @throws UserError that names the option at fault and, for an unknown one, the nearest known
 */
export function readOptions<S extends z.ZodObject>(
  owner: string,
  schema: S,
  given: unknown,
  range?: (option: string) => string | undefined,
): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  // a misspelt name first: that another option is missing is often its consequence
  const issues = result.error.issues.toSorted((a, b) => isUnknown(b) - isUnknown(a));
  const known = Object.keys(schema.shape);
  throw new UserError(issues.map((issue) => sayIssue(owner, issue, given)).join('; '), {
    exitCode: exitCodes.usage,
    hint: sayHint(owner, issues, known, range),
  });
}

/** `did you mean 'resnet26'? ` when a known name is near enough to be a slip, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (!known.length) return '';
  const nearest = closest(name.toLowerCase(), [...known]);
  const near =
    distance(name.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(nearest.length / 3));
  return near ? `did you mean '${nearest}'? ` : '';
}

function sayIssue(owner: string, issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0] ?? ''].join('.');
    return `${owner} has no option '${path}'`;
  }
  if (issue.path.length === 0) return `${owner}: ${issue.message}`;
  const path = issue.path.join('.');
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    given,
  );
  return value === undefined
    ? `${owner} lacks the option '${path}'`
    : `${owner}: ${path} cannot be ${JSON.stringify(value)}`;
}

function sayHint(
  owner: string,
  issues: readonly z.core.$ZodIssue[],
  known: readonly string[],
  range: ((option: string) => string | undefined) | undefined,
): string {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys' && issue.path.length === 0) {
    const guess = didYouMean(issue.keys[0] ?? '', known);
    return known.length ? `${guess}options of ${owner}: ${known.join(', ')}` : `${owner} has no options`;
  }
  return issues
    .map(({ message, path }) => {
      const said = range?.(String(path[0]));
      return said === undefined ? message : `${String(path[0])}: ${said}`;
    })
    .join('; ');
}

function isUnknown({ code }: z.core.$ZodIssue): number {
  return code === 'unrecognized_keys' ? 1 : 0;
}
