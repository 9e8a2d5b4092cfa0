import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { UserError } from '../errors.js';
import type { Model } from './model.js';

/** Options of a model as they come from a configuration or a checkpoint, not yet checked. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** A kind of architecture: one file of this folder and one line of registry in index.ts. */
export interface Family {
  readonly family: string;
  /** Names to show to a person who looks for one. */
  readonly names: readonly string[];
  /** What `name` says of the options; undefined where it is no name of this family. */
  resolve(name: string): RawOptions | undefined;
  /** @throws UserError when an option is unknown, missing or out of range */
  create(options: RawOptions): Model;
}

/**
 * Checks options against a schema.
 * @throws UserError that names the option at fault and, for an unknown one, the nearest known
 */
export function readOptions<S extends z.ZodObject>(
  family: string,
  schema: S,
  options: RawOptions,
): z.infer<S> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const { issues } = result.error;
  const known = Object.keys(schema.shape);
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown) {
    const [key = ''] = unknown.keys;
    throw new UserError(`model '${family}' has no option '${key}'`, {
      hint: known.length ? `${didYouMean(key, known)}its options: ${known.join(', ')}` : 'it has no options',
    });
  }
  const name = String(issues[0]?.path[0] ?? '');
  throw new UserError(
    options[name] === undefined
      ? `model '${family}' lacks the option '${name}'`
      : `model '${family}': option '${name}' does not fit`,
    { hint: issues.map(({ message }) => message).join('; ') },
  );
}

/** `did you mean 'resnet26'? ` when a known name is near enough to be a slip, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (!known.length) return '';
  const nearest = closest(name.toLowerCase(), [...known]);
  const near = distance(name.toLowerCase(), nearest) <= Math.max(2, Math.floor(nearest.length / 3));
  return near ? `did you mean '${nearest}'? ` : '';
}
