import { Command, InvalidArgumentError } from 'commander';
import { findingsLine } from '../data/preprocess/findings.js';
import type { PreprocessOptions, PreprocessProgress } from '../data/preprocess/options.js';
import type { PreprocessResult } from '../data/preprocess/preprocess.js';
import { exitCodes, UserError } from '../errors.js';
import { formatDuration } from '../report/duration.js';
import { bar, type ProgressLine } from '../report/progress-line.js';
import { stoppable } from './stoppable.js';

interface Flags {
  config?: string | false;
  out?: string;
  valSplit?: number;
  valDir?: string;
  valList?: string;
  classNames?: string;
  shards?: string;
  resume?: boolean;
  size?: NonNullable<PreprocessOptions['size']>;
  centerCrop?: boolean;
  rgbMean?: boolean;
  labelPattern?: string;
  seed?: number;
  workers?: number;
  quality?: number;
  json: boolean;
}

const examples = `
PICTURES holds one folder of pictures per class, at any depth. In DATA you find afterwards
  train/ val/          the pictures as JPEG, under random names
  train.csv val.csv    image,class       categories.csv  id,label
  rgb_val.json         mean of the train pictures' pixels before JPEG encoding, 0-255
  rejected.csv         file,reason       dataset.json    counts, mean, std, options; written last
With --shards, train-000000.tar ... and val-000000.tar ... in WebDataset's form stand in for train/ and val/.

After Ctrl-C, a kill or a full disk, the same command goes on with what is done.

What is not said here is taken from the section preprocess of resnode.config.ts, if that is here; its function
readClassLabel(path) may say the class of a folder.

Examples:
  $ resnode preprocess photos --out data
  $ resnode preprocess photos --out data --size 128 --val-split 0.1
  $ resnode preprocess photos --out data --size 224x224 --center-crop
  $ resnode preprocess 256_ObjectCategories --out data --label-pattern '([^./]+)$'
        the class of the folder 001.ak47 is ak47: the pattern's first group in the folder's path
  $ resnode preprocess ILSVRC/train --val-dir ILSVRC/val --out data --shards 256MB \\
        --val-list ILSVRC2012_validation_ground_truth.txt --class-names map_clsloc.txt
        ImageNet: the class of each validation picture by the devkit's numbers, names for its synsets`;

/** `resnode preprocess PICTURES --out DATA`. */
export function preprocessCommand(): Command {
  return new Command('preprocess')
    .description('Turn a folder of pictures, one folder per class, into a dataset to train on.')
    .argument('[pictures]', 'folder with a folder of pictures per class (default: of the configuration)')
    .option('--config <file>', 'settings (default: resnode.config.ts, .js, .mjs or .json if it is here)')
    .option('--no-config', 'leave out the configuration that is here')
    .option('--out <folder>', 'folder to make for the dataset (default: of the configuration)')
    .option(
      '--val-split <part>',
      "part of each class's pictures for validation, 0 to below 1 (default: 0.2)",
      decimal,
    )
    .option(
      '--val-dir <folder>',
      'validation pictures of their own, in a folder per class or with --val-list',
    )
    .option(
      '--val-list <file>',
      'image and class a line (or csv), or class numbers in the order of the images',
    )
    .option('--class-names <file>', 'label and name a line, e.g. n01440764 tench, Tinca tinca')
    .option('--shards <size>', 'write tar shards of at most this size, e.g. 256MB, not a file per picture')
    .option(
      '--size <size>',
      'length of the smaller side, or HEIGHTxWIDTH for an exact size (default: 256)',
      pictureSize,
    )
    .option('--center-crop', 'fill the whole size and cut off the rest, instead of stretching')
    .option('--no-center-crop', 'stretch (default)')
    .option('--rgb-mean', 'compute them (default)')
    .option('--no-rgb-mean', 'leave out mean and standard deviation (rgb_val.json)')
    .option('--label-pattern <regex>', "class label from the folder's path: first group, or whole match")
    .option('--seed <number>', 'seed of the names and the split (default: 0)', whole)
    .option(
      '--workers <number>',
      'pictures at work at once; no influence on the result (default: number of cores)',
      whole,
    )
    .option('--quality <number>', 'JPEG quality, 1 to 100 (default: 96)', whole)
    .option('--resume', 'refuse to begin: there must be an interrupted run to go on with')
    .option('--no-resume', 'start over instead of going on with an interrupted run')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(given: string | undefined, flags: Flags, command: Command): Promise<void> {
  const { preprocess } = await import('../data/preprocess/preprocess.js');
  const options = await preprocessOptions(given, flags, command);
  await stoppable(
    async (signal, line) => {
      const result = await preprocess({ ...options, signal, onProgress: progressPainter(line) });
      line.clear();
      for (const warning of result.warnings) process.stderr.write(`warning: ${warning}\n`);
      process.stdout.write(flags.json ? `${JSON.stringify(report(result), null, 2)}\n` : summary(result));
    },
    {
      message: 'interrupted; the dataset is not finished',
      hint: 'Run the same command again: it goes on where it stopped. (--no-resume starts over.)',
    },
  );
}

/** What the command line said, and else the configuration. */
async function preprocessOptions(
  pictures: string | undefined,
  flags: Flags,
  command: Command,
): Promise<PreprocessOptions> {
  const { gatherConfig } = await import('../config/gather.js');
  const { config, json, out, ...settings } = flags;
  const said = Object.entries(settings).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  const { preprocess, settings: training } = await gatherConfig({
    flags: { preprocess: { ...Object.fromEntries(said), input: pictures, output: out } },
    file: config,
  });
  const { input, output = training.data, ...options } = preprocess;
  if (input === undefined) throw missing('the folder of pictures is missing', 'resnode preprocess PICTURES');
  if (output === undefined) throw missing('the folder for the dataset is missing', '--out DATA');
  return { ...(options as Omit<PreprocessOptions, 'pictures' | 'out'>), pictures: input, out: output };
}

function missing(what: string, flag: string): UserError {
  return new UserError(what, {
    exitCode: exitCodes.usage,
    hint: `Give ${flag}, or say it in resnode.config.ts (resnode init writes one).`,
  });
}

function progressPainter(line: ProgressLine): (progress: PreprocessProgress) => void {
  let started: { at: number; done: number } | undefined;
  return ({ stage, done, total, rejected }) => {
    if (stage === 'scan') return line.update(`looking for pictures: ${number(done)}`);
    if (stage === 'check') return line.update(`looking at what is done: ${number(done)}/${number(total)}`);
    if (stage === 'shards')
      return line.update(`writing shards: ${bar(done, total)} ${number(done)}/${number(total)}`);
    if (stage === 'files') return line.update('writing the tables');
    // what an interrupted run had done took no time now
    started ??= { at: performance.now(), done: done > 1 ? done : 0 };
    const seconds = (performance.now() - started.at) / 1000;
    const rate = seconds > 0 ? (done - started.done) / seconds : 0;
    const parts = [
      `${bar(done, total)} ${number(done)}/${number(total)}`,
      `${number(Math.round(rate))}/s`,
      `${formatDuration(rate > 0 ? (total - done) / rate : Number.NaN)} left`,
    ];
    if (rejected > 0) parts.push(`${number(rejected)} rejected`);
    line.update(parts.join('  '));
  };
}

/** What `--json` prints. */
function report(result: PreprocessResult): object {
  const { out, labels, counts, shards, ignored, mean, std, rejected, findings, warnings, resumed, seconds } =
    result;
  return {
    out,
    classes: labels.length,
    counts,
    shards: shards ?? null,
    ignored,
    resumed,
    mean,
    std,
    seconds: Number(seconds.toFixed(3)),
    picturesPerSecond: Math.round(rateOf(result)),
    rejected,
    findings,
    warnings,
  };
}

/** Pictures a second of this run, without what an interrupted one had done. */
function rateOf({ counts, resumed, seconds }: PreprocessResult): number {
  return Math.max(0, counts.train + counts.val + counts.rejected - resumed) / seconds;
}

function summary(result: PreprocessResult): string {
  const { out, labels, counts, shards, ignored, mean, std, rejected, seconds } = result;
  const good = counts.train + counts.val;
  const rate = number(Math.round(rateOf(result)));
  const row = (name: string, text: string): string => `  ${name.padEnd(10)}${text}`;
  const channels = (rgb: typeof mean): string =>
    rgb ? `R ${rgb.R.toFixed(2)}  G ${rgb.G.toFixed(2)}  B ${rgb.B.toFixed(2)}` : '';
  const lines = [
    `${number(good)} pictures of ${number(labels.length)} classes in ${formatDuration(seconds)} (${rate} pictures/s)`,
    row('train', number(counts.train)),
    row('val', number(counts.val)),
    row('rejected', number(counts.rejected)),
  ];
  const shown = 3;
  for (const { file, reason } of rejected.slice(0, shown)) lines.push(`    ${file}: ${reason}`);
  if (rejected.length > shown) lines.push(`    ... all of them in ${out}/rejected.csv`);
  if (ignored > 0) lines.push(row('ignored', `${number(ignored)} (no pictures)`));
  if (mean) lines.push(row('mean', channels(mean)), row('std', channels(std)));
  if (shards) lines.push(row('shards', `${number(shards.train)} of train, ${number(shards.val)} of val`));
  const found = findingsLine(result.findings);
  if (found) lines.push(row('look at', `${found}: resnode audit ${quoted(out)}`));
  lines.push(row('dataset', out), '', 'Next:', `  resnode train --data ${quoted(out)} --project NAME`, '');
  return lines.join('\n');
}

const number = (value: number): string => value.toLocaleString('en-US');

/** As it has to be typed in a shell. */
function quoted(path: string): string {
  return /^[\w./~+:@%,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function decimal(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function pictureSize(text: string): NonNullable<PreprocessOptions['size']> {
  const match = /^(\d+)(?:x(\d+))?$/i.exec(text);
  if (!match)
    throw new InvalidArgumentError('It must be a length such as 256, or HEIGHTxWIDTH such as 224x224.');
  const [, first, second] = match;
  return second === undefined ? Number(first) : { height: Number(first), width: Number(second) };
}
