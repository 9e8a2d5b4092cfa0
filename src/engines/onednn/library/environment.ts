import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../../errors.js';
import { type OneDnnLibrary, probeOneDnn, UnusableLibrary } from './probe.js';

const variable = 'RESNODE_ONEDNN';

/** What the library's file is called on each system, the name with the interface's version first. */
const libraryNames: readonly string[] = [
  'libdnnl.so.3',
  'libdnnl.3.dylib',
  'dnnl.dll',
  'libdnnl.so',
  'libdnnl.dylib',
];

const usage = `set ${variable} to the library of oneDNN 3 (libdnnl.so.3) or the folder with it, or unset it`;

/**
 * The library that the user named by hand; undefined if the variable is not set.
 * @throws {UserError} it is set, but not to a library that can serve: that is never passed over in silence
 */
export function libraryFromEnvironment(env: NodeJS.ProcessEnv): OneDnnLibrary | undefined {
  const value = env[variable];
  if (value === undefined || value === '') return undefined;
  const path = findFile(resolve(value));
  try {
    return { path, source: 'env', ...probeOneDnn(path) };
  } catch (error) {
    if (!(error instanceof UnusableLibrary)) throw error;
    throw new UserError(`${variable}: ${path} ${error.message}`, { hint: error.hint ?? usage, cause: error });
  }
}

function findFile(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UserError(`${variable}: ${path} does not exist`, { hint: usage });
  if (!stat.isDirectory()) return path;
  for (const folder of [path, join(path, 'lib')]) {
    for (const name of libraryNames) {
      const file = join(folder, name);
      if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
    }
  }
  throw new UserError(`${variable}: the folder ${path} has no ${libraryNames[0]}`, { hint: usage });
}
