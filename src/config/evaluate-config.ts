import { createJiti } from 'jiti';
import { UserError } from '../errors.js';

/**
 * What a configuration may import of this package, whether it is installed beside the configuration or not. They
 * are the very modules that run, so that an error thrown in one is known as such.
 */
const modules: Readonly<Record<string, () => Promise<unknown>>> = {
  resnode: () => import('../index.js'),
  'resnode/config': () => import('./index.js'),
  'resnode/transforms': () => import('../data/transforms/index.js'),
};

/**
 * The default export of a configuration in TypeScript or JavaScript.
 * @param file absolute path
 * @param name the file as messages say it
 * @throws UserError when it cannot be evaluated
 */
export async function evaluateConfig(file: string, name: string): Promise<unknown> {
  const virtualModules: Record<string, unknown> = {};
  for (const [id, load] of Object.entries(modules)) virtualModules[id] = await load();
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules,
  });
  const loaded = await evaluate(() => jiti.import<unknown>(file), file, name);
  if (typeof loaded === 'object' && loaded !== null && 'default' in loaded) return loaded.default;
  throw new UserError(`${name} exports no configuration`, {
    hint: 'It ends in a default export: export default defineConfig({ ... })',
  });
}

async function evaluate(load: () => Promise<unknown>, file: string, name: string): Promise<unknown> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof UserError) {
      throw new UserError(`${name}${placeIn(error, file)}: ${error.message}`, {
        exitCode: error.exitCode,
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
    const { message } = error instanceof Error ? error : new Error(String(error));
    const [first = ''] = message.split('\n');
    throw new UserError(`${name}${placeIn(error, file)}: ${first.replace(`${file}: `, '')}`, {
      hint: 'The file is run as it stands; resnode init --force writes a new one.',
      cause: error,
    });
  }
}

/** `, line 3` where the stack of an error names the file. */
function placeIn(error: unknown, file: string): string {
  if (!(error instanceof Error) || !error.stack) return '';
  const at = error.stack.indexOf(`${file}:`);
  const line = at < 0 ? undefined : /^(\d+)/.exec(error.stack.slice(at + file.length + 1))?.[1];
  return line === undefined ? '' : `, line ${line}`;
}
