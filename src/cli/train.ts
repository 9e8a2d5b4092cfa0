import { Command } from 'commander';
import { formatDuration } from '../report/duration.js';
import { ProgressLine } from '../report/progress-line.js';
import type { TrainOptions, TrainResult } from '../train/train.js';
import { interruption } from './interruption.js';
import { addModelOptions, type ModelFlags, modelSpec } from './model-options.js';
import { number, wholeNumber } from './numbers.js';

interface Flags extends ModelFlags {
  data?: string;
  project: string;
  runDir: string;
  batchSize?: number;
  valBatchSize?: number;
  epochs?: number;
  lr?: number;
  optimizer?: string;
  momentum?: number;
  weightDecay?: number;
  decayNorms: boolean;
  schedule?: string;
  labelSmoothing?: number;
  init?: 'xavier' | 'kaiming';
  flip: boolean;
  seed?: number;
  shuffleBuffer?: number;
  workers?: number;
  threads?: number;
  checkpointInterval?: number;
  keepLast?: number;
  resume: boolean;
  json: boolean;
}

const examples = `
Goes on by itself from the run's last checkpoint; what is not given again is as it was before. Ctrl-C and
SIGTERM save first, within the epoch too; a second Ctrl-C leaves at once.

In RUNS/NAME you find
  checkpoints/   epoch-0007.safetensors ..., and the files last and best, each naming one of them
  output.log     what happened when        config.json  the settings in force

Schedules (--schedule NAME,option=value,...):
  plateau        mode, factor, patience, threshold, thresholdMode, cooldown, minLr, epsilon
  cosine         tMax, etaMin              step         stepSize, gamma
  multiStep      milestones=30+60, gamma   constant

Examples:
  $ resnode train --data data --project birds
  $ resnode train --data data --project birds --model resnet50 --batch-size 32 --epochs 120
  $ resnode train --data data --project small --stages 128x1,256x2,512x2,1024x1 \\
        --optimizer adam --schedule cosine,tMax=5,etaMin=1e-5
  $ resnode train --data data --project birds --lr 0.001
        the same run, going on with a smaller learning rate`;

/** `resnode train --data DATA --project NAME`. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train a network on a dataset, or go on with a training.')
    .option('--data <folder>', 'dataset, made by resnode preprocess')
    .requiredOption('--project <name>', 'name of the run')
    .option('--run-dir <folder>', 'folder of all runs', 'runs');
  return addModelOptions(command)
    .option('--init <kind>', 'first weights of the convolutions: xavier, kaiming (default: xavier)')
    .option('--batch-size <number>', 'pictures in a batch (default: 64)', wholeNumber)
    .option('--val-batch-size <number>', 'pictures in a validation batch (default: as above)', wholeNumber)
    .option('--epochs <number>', 'epochs of the whole run (default: 80)', wholeNumber)
    .option('--lr <rate>', 'learning rate at first (default: 0.01 for sgd, 0.001 for adam)', number)
    .option('--optimizer <kind>', 'sgd (Nesterov), adam, adamw (default: sgd)')
    .option('--momentum <number>', 'of sgd (default: 0.9)', number)
    .option('--weight-decay <number>', 'L2 penalty (default: 0.0001; adamw 0.01)', number)
    .option('--no-decay-norms', 'spare biases and batch norms the weight decay')
    .option('--schedule <schedule>', 'of the learning rate, see below (default: plateau)')
    .option('--label-smoothing <share>', 'share of the target spread over all classes (default: 0)', number)
    .option('--no-flip', 'do not mirror pictures at random')
    .option('--seed <number>', 'of weights, order and transforms (default: 0)', wholeNumber)
    .option('--shuffle-buffer <number>', 'of shards: pictures mixed at a time (default: all)', wholeNumber)
    .option('--workers <number>', 'threads that load pictures; no influence on the result', wholeNumber)
    .option('--threads <number>', 'threads of the engine (default: physical cores)', wholeNumber)
    .option('--checkpoint-interval <epochs>', 'epochs between checkpoints (default: 1)', wholeNumber)
    .option('--keep-last <number>', 'checkpoints to keep beside the best (default: 3)', wholeNumber)
    .option('--no-resume', 'refuse to go on with a run that exists')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(flags: Flags, command: Command): Promise<void> {
  const { train } = await import('../train/train.js');
  const { trainingPainter } = await import('../report/training-painter.js');
  const options = await trainOptions(flags, command);
  const line = new ProgressLine();
  const stopping = interruption(() => line.print('stopping: saving first (again: leave at once) ...'));
  try {
    const onProgress = trainingPainter(line);
    const result = await train({ ...options, signal: stopping.signal, onProgress });
    line.clear();
    process.stdout.write(flags.json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
    if (result.status === 'stopped') process.exitCode = stopping.exitCode;
  } finally {
    line.clear();
    stopping.release();
  }
}

async function trainOptions(flags: Flags, command: Command): Promise<TrainOptions> {
  const { parseSchedule } = await import('../train/schedules/index.js');
  const { lr, init, model, stages, block, json, flip, decayNorms, schedule, ...same } = flags;
  const { optimizer, momentum, weightDecay, ...rest } = same;
  // a switch that was not touched must not undo what the run was started with
  const said = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const noDecay = said('decayNorms') ? { noDecay: !decayNorms } : {};
  const asked = model !== undefined || stages !== undefined || block !== undefined;
  return {
    ...rest,
    ...(said('flip') ? { flip } : {}),
    model: asked ? modelSpec(flags, (await import('../models/index.js')).defaultModel) : undefined,
    initialization: init,
    learningRate: lr,
    optimizer: { ...(optimizer === undefined ? {} : { kind: optimizer }), momentum, weightDecay, ...noDecay },
    schedule: schedule === undefined ? undefined : parseSchedule(schedule),
  };
}

function summary(result: TrainResult): string {
  const { status, history, epoch, step, best, run: folder, checkpoints } = result;
  const seconds = history.reduce((sum, each) => sum + each.seconds, 0);
  const where = step > 0 ? `epoch ${epoch + 1}, step ${step}` : `epoch ${epoch}`;
  const row = (name: string, text: string): string => `  ${name.padEnd(12)}${text}`;
  const lines = [
    status === 'finished'
      ? `trained ${epoch} epochs in ${formatDuration(seconds)}`
      : `stopped in ${where}; the same command goes on from there`,
  ];
  if (best) lines.push(row('best', `${best.accuracy.toFixed(2)} % in epoch ${best.epoch}`));
  if (checkpoints.last) lines.push(row('checkpoint', checkpoints.last));
  lines.push(row('run', folder));
  if (result.rejected.length > 0) {
    lines.push(row('rejected', `${result.rejected.length} pictures, named in ${folder}/output.log`));
  }
  return `${lines.join('\n')}\n`;
}
