import { Command, Option } from 'commander';
import { UserError } from '../errors.js';
import { ProgressLine } from '../report/progress-line.js';

const examples = `
It takes the first of these that is there: the library that RESNODE_ONEDNN names, the one in resnode's cache,
the system's own libdnnl.so.3, and else fetches the PyPI wheel onednn-cpu-gomp with this machine's pip into the
cache. Commands that need the engine do this by themselves.

With --engine torch it is LibTorch, 2.13 or later: the folder that RESNODE_LIBTORCH names, the one in resnode's cache,
that of the torch an installed Python has, and else PyPI's wheels: 0.6 GB, or 3 GB where there is a GPU.

Examples:
  $ resnode setup
  $ resnode setup --engine torch
  $ resnode setup --json
  $ RESNODE_ONEDNN=/opt/onednn/lib/libdnnl.so.3 resnode setup`;

/** `resnode setup`. */
export function setupCommand(): Command {
  return new Command('setup')
    .description("Find the engine's library, or get it.")
    .addOption(
      new Option('--engine <name>', 'whose library: onednn or torch')
        .choices(['onednn', 'torch'])
        .default('onednn'),
    )
    .option('--no-download', 'only look; fails where there is none')
    .option('--json', 'print what was found as JSON', false)
    .addHelpText('after', examples)
    .action((flags: Flags) => (flags.engine === 'torch' ? setUpTorch(flags) : setUpOneDnn(flags)));
}

interface Flags {
  engine: 'onednn' | 'torch';
  download: boolean;
  json: boolean;
}

async function setUpTorch({ json, download }: Flags): Promise<void> {
  const { findOrGetTorch, findTorch } = await import('../engines/torch/library/index.js');
  const line = new ProgressLine();
  try {
    const onProgress = (text: string): void => line.update(text);
    const found = download ? await findOrGetTorch({ onProgress }) : await findTorch();
    line.clear();
    if (!found) {
      throw new UserError('LibTorch is not on this machine', {
        hint: 'run `resnode setup --engine torch` to get it, or set RESNODE_LIBTORCH to its folder',
      });
    }
    // what does not load is said here rather than when a training starts
    (await import('../engines/torch/ffi.js')).bindTorch(found.folder);
    const { folder, version, source, accelerated } = found;
    const text = `LibTorch ${version} (CPU${accelerated ? ' and GPU' : ''}), ${torchOrigins[source]}\n  ${folder}\n`;
    process.stdout.write(
      json ? `${JSON.stringify({ folder, version, source, accelerated }, null, 2)}\n` : text,
    );
  } finally {
    line.clear();
  }
}

async function setUpOneDnn({ json, download }: Flags): Promise<void> {
  const { findOrGetOneDnn } = await import('../engines/onednn/library/index.js');
  const line = new ProgressLine();
  try {
    const { path, source, version, cpuRuntime } = await findOrGetOneDnn({
      allowDownload: download,
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

/** Where a LibTorch comes from, in words. */
export const torchOrigins = {
  env: 'named by RESNODE_LIBTORCH',
  cache: "from resnode's cache",
  python: "an installed Python's",
  pip: "fetched by pip into resnode's cache",
} as const;
