import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { AugmentResult } from '../augment/augment.js';
import type { StageTime } from '../augment/transform-times.js';
import type { TransformSpec } from '../data/transforms/transform.js';
import { exitCodes, UserError } from '../errors.js';
import { bar, ProgressLine } from '../report/progress-line.js';
import { wholeNumber } from './numbers.js';

interface Flags {
  config?: string;
  out?: string;
  split: 'train' | 'val';
  rows: number;
  seed: number;
  stats: boolean;
  json: boolean;
}

const examples = `
The sheet has a row for each of a few pictures: the original at the left, then what a training of the same seed
makes of it in its first eight epochs. Without --config the transforms are those of a training without one: a
random crop, half of the pictures mirrored.

Examples:
  $ resnode augment data --out sheet.png
  $ resnode augment data --config resnode.config.json --out sheet.png --rows 12 --seed 3
  $ resnode augment data --config resnode.config.json --stats`;

/** `resnode augment DATA`. */
export function augmentCommand(): Command {
  return new Command('augment')
    .description('Show what the transforms make of pictures, and what each transform costs.')
    .argument('<data>', 'folder that `resnode preprocess` made')
    .option('--config <file>', 'configuration with the transforms')
    .option('--out <file>', 'PNG to write the contact sheet to')
    .option('--rows <number>', 'pictures on the sheet', wholeNumber, 6)
    .addOption(
      new Option('--split <split>', 'whose pictures and transforms')
        .choices(['train', 'val'])
        .default('train'),
    )
    .option('--seed <number>', 'which pictures, and their draws', wholeNumber, 0)
    .option('--stats', 'print the time of each transform', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(data: string, { config, json, out, ...flags }: Flags): Promise<void> {
  if (out === undefined && !flags.stats) {
    throw new UserError('there is nothing to do', {
      exitCode: exitCodes.usage,
      hint: 'Give --out sheet.png to draw a contact sheet, --stats to time the transforms, or both.',
    });
  }
  if (flags.rows < 1 || flags.rows > 200) {
    throw new UserError(`--rows cannot be ${flags.rows}`, {
      exitCode: exitCodes.usage,
      hint: 'It is a number from 1 to 200.',
    });
  }
  const { augment } = await import('../augment/augment.js');
  const transforms = config === undefined ? {} : ((await loadConfig(config)).config.transforms ?? {});
  const line = new ProgressLine();
  let result: AugmentResult;
  try {
    result = await augment({
      ...flags,
      data,
      transforms,
      ...(out === undefined ? {} : { out }),
      onProgress: (done, total) => line.update(`${bar(done, total)} ${done}/${total} pictures`),
    });
  } finally {
    line.clear();
  }
  for (const { file, reason } of result.rejected) line.print(`left out ${file}: ${reason}`);
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
}

function summary({ sheet, times }: AugmentResult): string {
  const parts: string[] = [];
  if (sheet) {
    const rows = sheet.pictures.map(({ file, label }, row) => `  row ${row + 1}  ${file}  ${label}\n`);
    parts.push(`${sheet.file}\n${rows.join('')}`);
  }
  if (times) parts.push(timesTable(times.stages, times.pictures));
  return parts.join('\n');
}

function timesTable(stages: readonly StageTime[], pictures: number): string {
  const sum = stages.reduce((total, { perPicture }) => total + perPicture, 0);
  const names = Math.max(...stages.map(({ name }) => name.length), 'together'.length);
  const milliseconds = (value: number | undefined): string =>
    (value === undefined ? '–' : value.toFixed(3)).padStart(12);
  const row = ({ name, share, perUse, perPicture }: StageTime): string =>
    `${name.padEnd(names)}${`${(100 * share).toFixed(1)} %`.padStart(10)}${milliseconds(perUse)}${milliseconds(perPicture)}\n`;
  return [
    `${'ms'.padEnd(names)}${'used'.padStart(10)}${'a use'.padStart(12)}${'a picture'.padStart(12)}\n`,
    ...stages.map(row),
    `${'together'.padEnd(names)}${''.padStart(22)}${milliseconds(sum)}\n`,
    `${Math.round(1000 / sum)} pictures/s in one thread, by ${pictures} pictures\n`,
  ].join('');
}

// STAND-IN for src/config/load.ts, which reads .ts, .js and .json and checks them: to be replaced by an import.

interface Config {
  transforms?: { train?: TransformSpec[]; val?: TransformSpec[] };
}

async function loadConfig(path: string): Promise<{ path: string; config: Config }> {
  try {
    const config = JSON.parse(await readFile(path, 'utf8')) as Config;
    const complete = (list: TransformSpec[] | undefined) =>
      list && { list: list.map(({ name, options = {} }) => ({ name, options })) };
    const train = complete(config.transforms?.train);
    const val = complete(config.transforms?.val);
    return {
      path,
      config: { transforms: { ...(train && { train: train.list }), ...(val && { val: val.list }) } },
    };
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}
