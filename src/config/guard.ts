import { UserError } from '../errors.js';
import type { Config } from './config.js';

/**
 * The configuration with functions that fail as a person's mistake, not as a defect of the tool.
 * @param owner where it comes from, for messages
 */
export function guardFunctions(owner: string, config: Config): Config {
  const { transforms, preprocess } = config;
  const read = preprocess?.readClassLabel;
  return {
    ...config,
    ...(typeof transforms === 'function'
      ? { transforms: (size) => called(`${owner}: transforms`, () => transforms(size)) }
      : {}),
    ...(read ? { preprocess: { ...preprocess, readClassLabel: (path) => labelBy(owner, read, path) } } : {}),
  };
}

function labelBy(owner: string, read: (path: string) => unknown, path: string): string {
  const name = `${owner}: readClassLabel(${JSON.stringify(path)})`;
  const label = called(name, () => read(path));
  if (typeof label === 'string') return label;
  throw new UserError(`${name} gives no text but ${String(label)}`, {
    hint: 'It gets the path of a folder below the pictures and gives the name of the class.',
  });
}

function called<T>(name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
