import { Command, Option } from 'commander';
import type { ComparisonRow } from '../report/compare/comparison.js';

interface Flags {
  runDir: string;
  json?: true;
  markdown?: true;
}

const examples = `
RUN is a run folder, the name of a run below --run-dir, or a checkpoint file. Loss and accuracies are those of
the last epoch; the time per epoch is the median.

Examples:
  $ resnode compare runs/*
  $ resnode compare birds birds-adam --markdown
  $ resnode compare birds --run-dir runs --json`;

/** `resnode compare RUN...`. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('Print the results of trainings as a table.')
    .argument('<run...>', 'run folders or names')
    .option('--run-dir <folder>', 'folder of all runs', 'runs')
    .addOption(new Option('--json', 'print the rows as JSON').conflicts('markdown'))
    .option('--markdown', 'print the table as Markdown')
    .addHelpText('after', examples)
    .action(run);
}

async function run(names: string[], { runDir, json, markdown }: Flags): Promise<void> {
  const { readRun } = await import('../train/read-run.js');
  const { comparisonRow, comparisonText, comparisonMarkdown } = await import(
    '../report/compare/comparison.js'
  );
  const rows: ComparisonRow[] = [];
  const onWarning = (message: string): void => void process.stderr.write(`warning: ${message}\n`);
  for (const name of names) rows.push(comparisonRow(await readRun(name, { runDir, onWarning })));
  if (json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else process.stdout.write(markdown ? comparisonMarkdown(rows) : comparisonText(rows));
}
