import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { exitCodes, UserError } from '../errors.js';
import { settingsFrom } from '../train/transform-lists.js';
import type { Config } from './config.js';
import { guardFunctions } from './guard.js';
import { parseJson } from './json.js';
import { readConfig } from './read-config.js';

/** Names of a configuration that is found by itself, in the folder where a command runs. */
export const configNames = ['ts', 'js', 'mjs', 'json'].map((extension) => `resnode.config.${extension}`);

export interface LoadedConfig {
  /** Path as it was given or found. */
  readonly path: string;
  /** Its paths are as seen from the folder where the command runs. */
  readonly config: Config;
}

/**
 * The configuration of a command: the named one, or the one that lies in `folder`.
 * @param options.file a path; false asks for none at all
 * @throws UserError when it cannot be read or is wrong, or when several lie there
 */
export async function findConfig(
  options: { file?: string | false | undefined; folder?: string } = {},
): Promise<LoadedConfig | undefined> {
  const { file, folder = '.' } = options;
  if (file === false) return undefined;
  const path = file ?? found(folder);
  return path === undefined ? undefined : { path, config: await loadConfig(path) };
}

/**
 * Reads and checks a configuration file: .ts, .js, .mjs (its default export) or .json. Paths in it are taken
 * from its own folder.
 * @throws UserError that names the file, and the line or the setting that is wrong
 */
export async function loadConfig(path: string): Promise<Config> {
  const text = await readText(path);
  const extension = extname(path);
  if (extension === '.json') return withPaths(readConfig(path, parseJson(path, text)), path);
  if (!/^\.[cm]?[jt]s$/.test(extension)) {
    throw new UserError(`a configuration cannot be of the kind '${extension}': ${path}`, {
      exitCode: exitCodes.usage,
      hint: 'Give a file that ends in .ts, .js, .mjs or .json.',
    });
  }
  const { evaluateConfig } = await import('./evaluate-config.js');
  const config = readConfig(path, await evaluateConfig(resolve(path), path));
  return withPaths(guardFunctions(path, config), path);
}

function found(folder: string): string | undefined {
  const [first, second] = configNames.filter((name) => existsSync(join(folder, name)));
  if (first === undefined || second === undefined) return first && join(folder, first);
  throw new UserError(`there are several configurations here: ${first} and ${second}`, {
    exitCode: exitCodes.usage,
    hint: `Remove one, or say which: --config ${first}`,
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path}: ${message}`;
    throw new UserError(what, { hint: 'Give the file of a configuration: --config FILE', cause: error });
  }
}

/** Paths from the configuration's folder, written as seen from here; those of transforms whole. */
function withPaths(config: Config, file: string): Config {
  const folder = dirname(file);
  const seen = <T extends string | undefined>(path: T): T => {
    if (path === undefined || folder === '.') return path;
    return (relative('.', resolve(folder, path)) || '.') as T;
  };
  const { data, runDir, log, preprocess, transforms } = config;
  return {
    ...config,
    ...(data === undefined ? {} : { data: seen(data) }),
    ...(runDir === undefined ? {} : { runDir: seen(runDir) }),
    ...(transforms === undefined ? {} : { transforms: settingsFrom(folder, transforms) }),
    ...(log ? { log: { ...log, file: seen(log.file) } } : {}),
    ...(preprocess
      ? {
          preprocess: {
            ...preprocess,
            input: seen(preprocess.input),
            output: seen(preprocess.output),
            valDir: seen(preprocess.valDir),
            valList: seen(preprocess.valList),
            classNames: seen(preprocess.classNames),
          },
        }
      : {}),
  };
}
