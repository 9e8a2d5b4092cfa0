import { Command } from 'commander';
import type { EngineSettings } from '../engines/settings.js';
import { followsAnother } from '../parallel/mpi/launch.js';
import { formatDuration } from '../report/duration.js';
import { bar } from '../report/progress-line.js';
import type { TestReportResult } from '../report/test-report.js';
import type { EvaluateOptions, EvaluateResult } from '../train/evaluation.js';
import { addCheckpointOptions, type CheckpointFlags } from './checkpoint-options.js';
import { interruption } from './interruption.js';
import { wholeNumber } from './numbers.js';
import { stoppable } from './stoppable.js';

interface Flags extends CheckpointFlags {
  data?: string;
  batchSize?: number;
  workers?: number;
  threads?: number;
  engine?: EngineSettings['engine'];
  devices?: string;
  report?: string | true;
  json: boolean;
}

const examples = `
Takes the last checkpoint of the run that trained last, unless another is named, with its normalisation, crop
and classes, and the validation pictures of the dataset that it was trained on.

--report writes report.html, one file to look at in a browser, and report.json into the run folder: accuracies
with their intervals, scores of each class, the confusion matrix, the worst mistakes, calibration.

Examples:
  $ resnode test
  $ resnode test --project birds --best
  $ resnode test --project birds --report
  $ resnode test --project birds --devices cuda:0,cuda:1
  $ mpirun -np 2 --hostfile hosts resnode test --project birds
  $ resnode test --checkpoint runs/birds/checkpoints/epoch-0040.safetensors --data data --json`;

/** `resnode test`. */
export function testCommand(): Command {
  const command = new Command('test').description('Measure a trained network on the validation pictures.');
  return addCheckpointOptions(command)
    .option('--data <folder>', 'dataset (default: the one of the training)')
    .option('--batch-size <number>', "pictures in a batch (default: the training's)", wholeNumber)
    .option('--workers <number>', 'threads that load pictures', wholeNumber)
    .option('--threads <number>', 'threads of the engine (default: physical cores)', wholeNumber)
    .option('--engine <name>', 'auto, onednn or torch (default: auto, a GPU where there is one, else onednn)')
    .option(
      '--device, --devices <names>',
      'a replica on each: cpu:2, cuda:0,cuda:1, mps (default: a GPU where there is one)',
    )
    .option('--report [folder]', 'write report.html and report.json (default folder: the run folder)')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run({ json, report, ...flags }: Flags): Promise<void> {
  if (followsAnother()) return follow(report, flags);
  await stoppable(async (signal, line) => {
    const result = await measure(report, {
      ...flags,
      signal,
      onWarning: (message) => line.print(`warning: ${message}`),
      onProgress: ({ done, total }) => line.update(`${bar(done, total)} ${done}/${total} batches`),
    });
    line.clear();
    for (const { file, reason } of result.rejected) line.print(`rejected ${file}: ${reason}`);
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
  });
}

/** As a rank that another one speaks for. */
async function follow(report: Flags['report'], flags: EvaluateOptions): Promise<void> {
  const stopping = interruption(() => {});
  try {
    await measure(report, { ...flags, signal: stopping.signal });
  } finally {
    stopping.release();
  }
}

type Measured = EvaluateResult & Partial<Pick<TestReportResult, 'report'>>;

async function measure(report: Flags['report'], options: EvaluateOptions): Promise<Measured> {
  if (report === undefined) return (await import('../train/evaluate.js')).evaluate(options);
  const { testReport } = await import('../report/test-report.js');
  return testReport({ ...options, folder: report === true ? undefined : report });
}

function summary(result: Measured): string {
  const { top1, top5, loss, images, seconds, checkpoint, model, epoch, report } = result;
  const rate = Math.round(images / seconds);
  return [
    `${model} after ${epoch} epochs (${checkpoint})`,
    `top-1 ${top1.toFixed(2)} %, top-5 ${top5.toFixed(2)} %, loss ${loss.toFixed(4)} on ${images} pictures`,
    `Prediction Time: ${formatDuration(seconds)} (${rate} pictures/s)`,
    ...(report ? [`Report: ${report.html}`] : []),
    '',
  ].join('\n');
}
