import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Finds the package without importing it, which would take seconds. */
const question =
  "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";

/** Folders of the torch packages that the Pythons on the PATH have. */
export async function askPython(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders: string[] = [];
  for (const command of ['python3', 'python']) {
    try {
      const { stdout } = await run(command, ['-c', question], { env, timeout: 20_000 });
      const folder = stdout.trim();
      if (folder && !folders.includes(folder)) folders.push(folder);
    } catch {
      // no such Python, or one that is broken: the next
    }
  }
  return folders;
}
