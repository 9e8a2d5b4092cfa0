import { Command, Option } from 'commander';
import type { AugmentResult } from '../augment/augment.js';
import type { StageTime } from '../augment/transform-times.js';
import { exitCodes, UserError } from '../errors.js';
import { bar, ProgressLine } from '../report/progress-line.js';
import { wholeNumber } from './numbers.js';

interface Flags {
  config?: string | false;
  recipe?: string;
  crop?: number;
  out?: string;
  split: 'train' | 'val';
  rows: number;
  seed: number;
  stats: boolean;
  json: boolean;
}

const examples = `
The sheet has a row for each of a few pictures: the original at the left, then what a training of the same seed
makes of it in its first eight epochs. The transforms are those of the configuration that is here, or of --recipe; else a
random crop, half of the pictures mirrored.

Examples:
  $ resnode augment data --out sheet.png
  $ resnode augment data --recipe resnet26 --out sheet.png --rows 12 --seed 3
  $ resnode augment data --config resnode.config.ts --stats`;

/** `resnode augment DATA`. */
export function augmentCommand(): Command {
  return new Command('augment')
    .description('Show what the transforms make of pictures, and what each transform costs.')
    .argument('<data>', 'folder that `resnode preprocess` made')
    .option('--config <file>', 'settings (default: resnode.config.ts, .js, .mjs or .json if it is here)')
    .option('--no-config', 'leave out the configuration that is here')
    .option('--recipe <name>', 'the transforms of a recipe, see resnode recipes')
    .option('--crop <pixels>', 'size that the network sees (default: as in a training)', wholeNumber)
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

async function run(data: string, { config, recipe, crop, json, out, ...flags }: Flags): Promise<void> {
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
  const { gatherConfig } = await import('../config/gather.js');
  const { settings } = await gatherConfig({ flags: { recipe, crop }, file: config });
  const line = new ProgressLine();
  let result: AugmentResult;
  try {
    result = await augment({
      ...flags,
      data,
      ...(settings.transforms ? { transforms: settings.transforms } : {}),
      ...(settings.crop === undefined ? {} : { crop: settings.crop }),
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
