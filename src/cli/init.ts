import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodes, UserError } from '../errors.js';

interface Flags {
  recipe?: string;
  force: boolean;
}

const examples = `
Looks at the folder: a prepared dataset and a folder of pictures (a folder per class), here or one below, are
filled in. Asks nothing.

Examples:
  $ resnode init
  $ resnode init --recipe resnet20
  $ resnode init --force`;

/** `resnode init`. */
export function initCommand(): Command {
  return new Command('init')
    .description('Write a commented resnode.config.ts for this folder.')
    .option('--recipe <name>', 'train by this recipe, see resnode recipes')
    .option('--force', 'write over a resnode.config.ts that is here', false)
    .addHelpText('after', examples)
    .action(run);
}

const target = 'resnode.config.ts';

async function run({ recipe: name, force }: Flags): Promise<void> {
  const { writeFileAtomic } = await import('../data/atomic-write.js');
  const { configNames } = await import('../config/load.js');
  const { starterConfig, starterPaths } = await import('../config/starter.js');
  const { lookAround } = await import('../config/surroundings.js');
  const { findRecipe } = await import('../recipes/index.js');
  const recipe = name === undefined ? undefined : findRecipe(name);
  refuseOverwriting(configNames, force);
  const surroundings = await lookAround('.');
  const options = { folder: '.', surroundings, recipe };
  await write(() => writeFileAtomic(target, starterConfig(options)));
  const { project, data, input } = starterPaths(options);
  const { dataset, pictures } = surroundings;
  const row = (key: string, text: string): string => `  ${key.padEnd(10)}${text}`;
  const lines = [
    `wrote ${target}`,
    ...(pictures ? [row('pictures', `${input} (${pictures.classes.length} classes)`)] : []),
    row('dataset', `${data}${dataset === undefined ? ' (not there yet)' : ''}`),
    row('run', `runs/${project}`),
    '',
    'Next:',
    ...(dataset === undefined && !pictures ? ['  say in it where the pictures lie: preprocess.input'] : []),
    ...(dataset === undefined ? ['  resnode preprocess'] : []),
    '  resnode train',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function refuseOverwriting(names: readonly string[], force: boolean): void {
  const there = names.filter((name) => existsSync(name));
  const other = there.find((name) => name !== target);
  if (other === undefined && (force || there.length === 0)) return;
  throw new UserError(`there is a configuration already: ${other ?? target}`, {
    exitCode: exitCodes.usage,
    hint: other === undefined ? 'Give --force to write over it.' : 'Remove it first. Nothing was changed.',
  });
}

async function write(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw new UserError(`cannot write ${target}: ${(error as Error).message}`, { cause: error });
  }
}
