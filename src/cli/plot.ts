import { extname } from 'node:path';
import { Command } from 'commander';
import { exitCodes, UserError } from '../errors.js';
import type { Curves } from '../report/plot/curves.js';

interface Flags {
  runDir: string;
  out?: string;
  terminal: boolean;
}

const examples = `
RUN is a run folder, the name of a run below --run-dir, or a checkpoint file. Draws training and validation
loss, training and validation accuracy, and the learning rate over the epochs: in the terminal, or with --out
into a file.

Examples:
  $ resnode plot birds
  $ resnode plot birds --out birds.png
  $ resnode plot runs/birds runs/birds-adam --out curves.svg --terminal`;

/** `resnode plot RUN...`. */
export function plotCommand(): Command {
  return new Command('plot')
    .description('Draw the curves of trainings.')
    .argument('<run...>', 'run folders or names')
    .option('--run-dir <folder>', 'folder of all runs', 'runs')
    .option('--out <file>', 'picture to write, .svg or .png')
    .option('--terminal', 'draw in the terminal, also with --out', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(names: string[], { runDir, out, terminal }: Flags): Promise<void> {
  const write = out === undefined ? undefined : writerOf(out);
  const { readRun } = await import('../train/read-run.js');
  const runs: Curves[] = [];
  for (const name of names) {
    const onWarning = (message: string): void => void process.stderr.write(`warning: ${message}\n`);
    const { info, ...found } = await readRun(name, { runDir, onWarning });
    if (info.history.length === 0) {
      throw new UserError(`the run ${found.path} has not finished an epoch yet: there is nothing to draw`);
    }
    runs.push({ name: found.name, model: info.model.name, history: info.history });
  }
  await write?.(runs);
  if (!write || terminal) {
    const { curvesTerminal } = await import('../report/plot/curves-terminal.js');
    const { isTTY, columns } = process.stdout;
    const colour = isTTY === true && process.env.NO_COLOR === undefined;
    process.stdout.write(curvesTerminal(runs, { columns: columns || 80, colour }));
  }
}

/** @throws UserError when the file is to be neither of the two kinds */
function writerOf(out: string): (runs: readonly Curves[]) => Promise<void> {
  const extension = extname(out).toLowerCase();
  if (extension !== '.svg' && extension !== '.png') {
    throw new UserError(`cannot write the curves as ${out}`, {
      exitCode: exitCodes.usage,
      hint: 'Give a file that ends in .svg or .png.',
    });
  }
  return async (runs) => {
    const { writeFileAtomic } = await import('../data/atomic-write.js');
    const picture =
      extension === '.png'
        ? await (await import('../report/plot/curves-png.js')).curvesPng(runs)
        : (await import('../report/plot/curves-svg.js')).curvesSvg(runs);
    try {
      await writeFileAtomic(out, picture);
    } catch (error) {
      throw new UserError(`cannot write ${out}: ${(error as Error).message}`, { cause: error });
    }
    process.stderr.write(`wrote ${out}\n`);
  };
}
