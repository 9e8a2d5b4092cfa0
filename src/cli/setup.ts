import { Command } from 'commander';
import { ProgressLine } from '../report/progress-line.js';

const examples = `
It takes the first of these that is there: the library that RESNODE_ONEDNN names, the one in resnode's cache,
the system's own libdnnl.so.3, and else fetches the PyPI wheel onednn-cpu-gomp with this machine's pip into the
cache. Commands that need the engine do this by themselves.

Examples:
  $ resnode setup
  $ resnode setup --json
  $ RESNODE_ONEDNN=/opt/onednn/lib/libdnnl.so.3 resnode setup`;

/** `resnode setup`. */
export function setupCommand(): Command {
  return new Command('setup')
    .description("Find the engine's library, or get it.")
    .option('--json', 'print what was found as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run({ json }: { json: boolean }): Promise<void> {
  const { findOrGetOneDnn } = await import('../engines/onednn/library/index.js');
  const line = new ProgressLine();
  try {
    const { path, source, version, cpuRuntime } = await findOrGetOneDnn({
      onProgress: (text) => line.update(text),
    });
    line.clear();
    process.stdout.write(
      json
        ? `${JSON.stringify({ path, source, version, cpuRuntime }, null, 2)}\n`
        : `oneDNN ${version} (${cpuRuntime}), ${origins[source]}\n  ${path}\n`,
    );
  } finally {
    line.clear();
  }
}

/** Where a library comes from, in words. */
export const origins = {
  env: 'named by RESNODE_ONEDNN',
  cache: "from resnode's cache",
  system: "the system's own",
  pip: "fetched by pip into resnode's cache",
} as const;
