import { Command, InvalidArgumentError } from 'commander';
import type { PreprocessOptions, PreprocessProgress } from '../data/preprocess/options.js';
import type { PreprocessResult } from '../data/preprocess/preprocess.js';
import { exitCodes, UserError } from '../errors.js';
import { formatDuration } from '../report/duration.js';
import { bar, ProgressLine } from '../report/progress-line.js';

interface Flags {
  config?: string | false;
  out?: string;
  valSplit?: number;
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

What is not said here is taken from the section preprocess of resnode.config.ts, if that is here; its function
readClassLabel(path) may say the class of a folder.

Examples:
  $ resnode preprocess photos --out data
  $ resnode preprocess photos --out data --size 128 --val-split 0.1
  $ resnode preprocess photos --out data --size 224x224 --center-crop
  $ resnode preprocess 256_ObjectCategories --out data --label-pattern '([^./]+)$'
        the class of the folder 001.ak47 is ak47: the pattern's first group in the folder's path`;

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
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(given: string | undefined, flags: Flags, command: Command): Promise<void> {
  const { preprocess } = await import('../data/preprocess/preprocess.js');
  const options = await preprocessOptions(given, flags, command);
  const line = new ProgressLine();
  const interruption = interruptible(options.out, line);
  let result: PreprocessResult;
  try {
    result = await preprocess({
      ...options,
      signal: interruption.signal,
      onProgress: progressPainter(line),
    });
  } finally {
    line.clear();
    interruption.release();
  }
  for (const warning of result.warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(flags.json ? `${JSON.stringify(report(result), null, 2)}\n` : summary(result));
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

/** A signal that Ctrl-C and SIGTERM abort; after the first, the next one ends the process at once. */
function interruptible(out: string, line: ProgressLine): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const stop = (code: number) => (): void => {
    release();
    line.print('stopping ...');
    controller.abort(
      new UserError('interrupted; the dataset is not finished', {
        exitCode: code,
        hint: `Run the same command again: it clears ${out} and starts over.`,
      }),
    );
  };
  const interrupted = stop(exitCodes.interrupted);
  const terminated = stop(exitCodes.terminated);
  const release = (): void => {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', terminated);
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', terminated);
  return { signal: controller.signal, release };
}

function progressPainter(line: ProgressLine): (progress: PreprocessProgress) => void {
  let started: number | undefined;
  return ({ stage, done, total, rejected }) => {
    if (stage === 'scan') return line.update(`looking for pictures: ${number(done)}`);
    if (stage === 'files') return line.update('writing the tables');
    started ??= performance.now();
    const seconds = (performance.now() - started) / 1000;
    const rate = seconds > 0 ? done / seconds : 0;
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
  const { out, labels, counts, ignored, mean, std, rejected, warnings, seconds } = result;
  const rate = Math.round((counts.train + counts.val) / seconds);
  return {
    out,
    classes: labels.length,
    counts,
    ignored,
    mean,
    std,
    seconds: Number(seconds.toFixed(3)),
    picturesPerSecond: rate,
    rejected,
    warnings,
  };
}

function summary({ out, labels, counts, ignored, mean, std, rejected, seconds }: PreprocessResult): string {
  const good = counts.train + counts.val;
  const rate = number(Math.round(good / seconds));
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
