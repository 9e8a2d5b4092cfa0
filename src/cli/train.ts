import { basename } from 'node:path';
import { Command, Option } from 'commander';
import type { Config } from '../config/config.js';
import type { GatheredConfig } from '../config/gather.js';
import { parseOptimizer } from '../config/parse-optimizer.js';
import type { EngineSettings } from '../engines/settings.js';
import { exitCodes, UserError } from '../errors.js';
import { followsAnother } from '../parallel/mpi/launch.js';
import { formatDuration } from '../report/duration.js';
import { type LogFormat, type LogLevel, logFormats, logLevels } from '../report/log-settings.js';
import { ProgressLine } from '../report/progress-line.js';
import { type PrecisionSetting, precisions } from '../train/precision/precision.js';
import type { TrainResult } from '../train/train.js';
import { interruption } from './interruption.js';
import { addModelOptions, type ModelFlags } from './model-options.js';
import { autoOrNumber, number, wholeNumber } from './numbers.js';

/** Flags of `resnode train`, which `resnode config` has too. */
export interface TrainFlags extends ModelFlags {
  config?: string | false;
  recipe?: string;
  data?: string;
  project?: string;
  runDir?: string;
  batchSize?: number;
  accumulate?: number;
  clipNorm?: number;
  clipValue?: number;
  precision?: PrecisionSetting;
  valBatchSize?: number;
  epochs?: number;
  learningRate?: number;
  optimizer?: string;
  momentum?: number;
  weightDecay?: number;
  decayNorms?: boolean;
  schedule?: string;
  labelSmoothing?: number;
  initialization?: 'xavier' | 'kaiming';
  flip?: boolean;
  transforms: boolean;
  seed?: number;
  shuffleBuffer?: number;
  workers?: number | 'auto';
  cache?: 'none' | 'ram' | 'disk';
  cacheSize?: string;
  threads?: number;
  devices?: string;
  syncBatchNorm?: boolean;
  overlap?: 'auto' | 'on' | 'off';
  engine?: EngineSettings['engine'];
  checkpointInterval?: string;
  keepLast?: number;
  logFile?: string;
  logLevel?: LogLevel;
  logFormat?: LogFormat;
  tensorboard?: boolean;
  histograms?: boolean;
  mistakes?: number;
  resume?: string | false;
  fork?: string;
  json: boolean;
  findBatchSize?: boolean;
  memory?: string;
}

const examples = `
Goes on by itself from the run's last checkpoint; what is not given again is as it was before. Ctrl-C and
SIGTERM save first, within the epoch too; a second Ctrl-C leaves at once.

In RUNS/NAME you find
  checkpoints/   epoch-0007.safetensors ..., and the files last and best, each naming one of them
  output.log     what happened when        config.json  the settings in force
  tensorboard/   look at it with: tensorboard --logdir RUNS

Schedules (--schedule NAME,option=value,...), named and counted as in PyTorch:
  plateau        mode, factor, patience, threshold, thresholdMode, cooldown, minLr, epsilon
  cosine         tMax, etaMin, etaMinAfter=50:1e-7 (another etaMin after 50 epochs)
  warmRestarts   t0, tMult, etaMin         step         stepSize, gamma
  multiStep      milestones=30+60, gamma   exponential  gamma
  polynomial     totalIters, power         linear       startFactor, endFactor, totalIters
  oneCycle       maxLr, totalSteps, pctStart, annealStrategy, divFactor, finalDivFactor, threePhase, ...
  constant
each with  by=step (count batches, not epochs; oneCycle does)  and  warmup=EPOCHS:FIRST-SHARE:step
One after the other:  --schedule 'constant until 10 then cosine,etaMin=1e-5'

Precedence: flag, configuration, recipe, the run's settings so far, default; see them all with resnode config.

Examples:
  $ resnode train --data data --project birds
  $ resnode train --data data --recipe resnet20
  $ resnode train --data data --project birds --model resnet50 --batch-size 32 --epochs 120
  $ resnode train --data data --project small --stages 128x1,256x2,512x2,1024x1 \\
        --optimizer adam --schedule cosine,tMax=5,etaMin=1e-5
  $ resnode train --data data --project birds --lr 0.001
        the same run, going on with a smaller learning rate
  $ resnode train --project birds --resume runs/birds/checkpoints/epoch-0040.safetensors
        the same run from there again; without --resume the next time, or it goes back once more
  $ resnode train --project birds --fork birds-slow --lr 0.001 --epochs 100
        a new run that starts where birds is
  $ resnode train --data data --model resnet50 --find-batch-size --memory 4GB`;

/** `resnode train --data DATA --project NAME`. */
export function trainCommand(): Command {
  const command = new Command('train').description('Train a network on a dataset, or go on with a training.');
  return addTrainOptions(command)
    .option('--resume <file>', 'go back to this checkpoint of the run; later ones go to checkpoints/replaced')
    .option('--fork <name>', "start a new run from the project's last checkpoint, or from --resume FILE")
    .option('--no-resume', 'refuse to go on with a run that exists')
    .option('--find-batch-size', 'print the largest batch that fits into memory, and train nothing')
    .option('--memory <size>', 'for --find-batch-size, e.g. 8GB (default: what is available)')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

/** Adds every flag that says how to train. */
export function addTrainOptions(command: Command): Command {
  command
    .option('--config <file>', 'settings (default: resnode.config.ts, .js, .mjs or .json if it is here)')
    .option('--no-config', 'leave out the configuration that is here')
    .option('--recipe <name>', 'start from a recipe, see resnode recipes')
    .option('--data <folder>', 'dataset, made by resnode preprocess')
    .option('--project <name>', "name of the run (default: the recipe's)")
    .option('--run-dir <folder>', 'folder of all runs (default: runs)');
  return addModelOptions(command)
    .option(
      '--init, --initialization <kind>',
      'first weights of the convolutions: xavier, kaiming (default: xavier)',
    )
    .option('--batch-size <number>', 'pictures in a batch (default: 64)', wholeNumber)
    .option('--accumulate <number>', 'compute a batch in so many micro-batches (default: 1)', wholeNumber)
    .option('--clip-norm <number>', 'shorten the gradient to this norm (default: 0, not)', number)
    .option('--clip-value <number>', 'clip each number of the gradient (default: 0, not)', number)
    .addOption(
      new Option(
        '--precision <precision>',
        'what layers compute with (default: auto, bf16 where it is known to be faster)',
      ).choices(precisions),
    )
    .option(
      '--val-batch-size <number>',
      'pictures in a validation batch (default: a micro-batch)',
      wholeNumber,
    )
    .option('--epochs <number>', 'epochs of the whole run (default: 80)', wholeNumber)
    .option(
      '--lr, --learning-rate <rate>',
      'learning rate at first (default: 0.01 for sgd, 0.001 for adam)',
      number,
    )
    .option('--optimizer <kind>', 'sgd (Nesterov), adam, adamw; options as in adam,beta1=0.8 (default: sgd)')
    .option('--momentum <number>', 'of sgd (default: 0.9)', number)
    .option('--weight-decay <number>', 'L2 penalty (default: sgd 0.0001, adam 0, adamw 0.01)', number)
    .option('--no-decay-norms', 'spare biases and batch norms the weight decay')
    .option('--decay-norms', 'do not spare them (default)')
    .option('--schedule <schedule>', 'of the learning rate, see below (default: plateau)')
    .option('--label-smoothing <share>', 'share of the target spread over all classes (default: 0)', number)
    .option('--no-flip', 'do not mirror pictures at random')
    .option('--flip', 'mirror half of them (default)')
    .option('--no-transforms', 'crop and flip only, whatever recipe or configuration say')
    .option('--seed <number>', 'of weights, order and transforms (default: 0)', wholeNumber)
    .option('--shuffle-buffer <number>', 'of shards: pictures mixed at a time (default: all)', wholeNumber)
    .option(
      '--workers <number>',
      'threads that load pictures (default: auto, by measured times)',
      autoOrNumber,
    )
    .addOption(
      new Option('--cache <kind>', 'keep decoded pictures for the next epochs').choices([
        'none',
        'ram',
        'disk',
      ]),
    )
    .option('--cache-size <size>', 'most bytes of them (default: 4GB)')
    .option('--threads <number>', 'threads of the engine (default: physical cores)', wholeNumber)
    .option('--engine <name>', 'auto, onednn or torch (default: auto, a GPU where there is one, else onednn)')
    .option(
      '--device, --devices <names>',
      'a replica on each: cpu:2, cuda:0,cuda:1, mps (default: a GPU where there is one)',
    )
    .option('--sync-batch-norm', 'batch norm statistics over the pictures of all replicas')
    .option('--no-sync-batch-norm', 'of each replica (the default)')
    .addOption(
      new Option(
        '--overlap <when>',
        'sums of the ranks beside the backward pass (default: auto, between machines)',
      ).choices(['auto', 'on', 'off']),
    )
    .option('--checkpoint-interval <interval>', 'save every 5 (epochs), 200steps, 10min (default: 1)')
    .option('--keep-last <number>', 'checkpoints to keep beside the best (default: 3)', wholeNumber)
    .option('--tensorboard', 'write event files for TensorBoard (the default)')
    .option('--no-tensorboard', 'write none')
    .option('--histograms', 'weights and gradients for TensorBoard, at each checkpoint')
    .option('--no-histograms', 'none (the default)')
    .option(
      '--mistakes <number>',
      'misclassified pictures for TensorBoard, of the best epoch (default: 0)',
      wholeNumber,
    )
    .option('--log-file <file>', "log of the run (default: output.log in the run's folder)")
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(logLevels))
    .addOption(new Option('--log-format <format>', 'form of the log').choices(logFormats));
}

async function run(flags: TrainFlags, command: Command): Promise<void> {
  const { train } = await import('../train/train.js');
  const { trainingConsole } = await import('../report/training-console.js');
  const { gatherConfig } = await import('../config/gather.js');
  const gathered = await gatherConfig({ flags: await flagsAsConfig(flags, command), file: flags.config });
  const follows = followsAnother();
  if (flags.findBatchSize) {
    if (follows) return;
    const { printBatchSize } = await import('./find-batch-size.js');
    await printBatchSize(gathered, flags);
    return;
  }
  const { settings, runDir, log } = gathered;
  const line = new ProgressLine();
  const shown = follows ? { listen: () => {}, say: () => {} } : trainingConsole(line, log);
  const stopping = interruption(() => shown.say('stopping: saving first (again: leave at once) ...'));
  try {
    for (const text of notices(gathered)) shown.say(text);
    const result = await train({
      ...{ ...settings, project: projectOf(gathered, flags), runDir, log },
      ...{ resume: flags.resume, fork: flags.fork },
      ...{ signal: stopping.signal, onProgress: shown.listen },
    });
    line.clear();
    const text = flags.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result, flags);
    if (!follows) process.stdout.write(text);
    if (result.status === 'stopped') process.exitCode = stopping.exitCode;
  } finally {
    line.clear();
    stopping.release();
  }
}

/** What the command line said of settings, and nothing that it left out. */
export async function flagsAsConfig(flags: TrainFlags, command: Command): Promise<Config> {
  const { isSetting } = await import('../config/schema.js');
  // a switch that was not touched must not undo what the run was started with
  const said = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const same = Object.entries(flags).filter(([name]) => said(name) && isSetting(name));
  const { optimizer, momentum, weightDecay, decayNorms, logFile, logLevel, logFormat } = flags;
  return {
    ...Object.fromEntries(same),
    ...(said('transforms') ? { transforms: {} } : {}),
    log: { file: logFile, level: logLevel, format: logFormat },
    optimizer: {
      ...(optimizer === undefined ? {} : parseOptimizer(optimizer)),
      ...(momentum === undefined ? {} : { momentum }),
      ...(weightDecay === undefined ? {} : { weightDecay }),
      ...(said('decayNorms') ? { noDecay: !decayNorms } : {}),
    },
  };
}

function projectOf({ project }: GatheredConfig, { fork, resume }: TrainFlags): string {
  // a file says by itself where a fork starts
  const name = project ?? (typeof resume === 'string' ? fork : undefined);
  if (name !== undefined) return name;
  throw new UserError('the run has no name', {
    exitCode: exitCodes.usage,
    hint:
      fork === undefined
        ? 'Give --project NAME, or `project` in resnode.config.ts (resnode init writes one).'
        : 'Give --project NAME, the run to fork, or --resume FILE.',
  });
}

/** What a person who knows the recipe should know of this training. */
function notices({ recipe, changed, loaded }: GatheredConfig): string[] {
  const said = [
    ...(loaded ? [`settings of ${loaded.path}`] : []),
    ...(recipe ? [`recipe ${recipe.name}${changed.length > 0 ? ` but for ${changed.join(', ')}` : ''}`] : []),
  ];
  return said.length > 0 ? [said.join(', ')] : [];
}

function summary(result: TrainResult, { fork, resume }: TrainFlags): string {
  const { status, history, epoch, step, best, run: folder, checkpoints } = result;
  const seconds = history.reduce((sum, each) => sum + each.seconds, 0);
  const where = step > 0 ? `epoch ${epoch + 1}, step ${step}` : `epoch ${epoch}`;
  const next =
    fork === undefined && typeof resume !== 'string'
      ? 'the same command'
      : `--project ${basename(folder)}, without --fork and --resume,`;
  const row = (name: string, text: string): string => `  ${name.padEnd(12)}${text}`;
  const lines = [
    status === 'finished'
      ? `trained ${epoch} epochs in ${formatDuration(seconds)}`
      : `stopped in ${where}; ${next} goes on from there`,
  ];
  if (best) lines.push(row('best', `${best.accuracy.toFixed(2)} % in epoch ${best.epoch}`));
  if (checkpoints.last) lines.push(row('checkpoint', checkpoints.last));
  lines.push(row('run', folder));
  if (result.rejected.length > 0) {
    lines.push(row('rejected', `${result.rejected.length} pictures, named in ${folder}/output.log`));
  }
  return `${lines.join('\n')}\n`;
}
