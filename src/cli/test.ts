import { Command } from 'commander';
import { UserError } from '../errors.js';
import { formatDuration } from '../report/duration.js';
import { bar, ProgressLine } from '../report/progress-line.js';
import type { EvaluateResult } from '../train/evaluate.js';
import { addCheckpointOptions, type CheckpointFlags } from './checkpoint-options.js';
import { interruption } from './interruption.js';
import { wholeNumber } from './numbers.js';

interface Flags extends CheckpointFlags {
  data?: string;
  batchSize?: number;
  workers?: number;
  threads?: number;
  json: boolean;
}

const examples = `
Takes the last checkpoint of the run that trained last, unless another is named, with its normalisation, crop
and classes, and the validation pictures of the dataset that it was trained on.

Examples:
  $ resnode test
  $ resnode test --project birds --best
  $ resnode test --checkpoint runs/birds/checkpoints/epoch-0040.safetensors --data data --json`;

/** `resnode test`. */
export function testCommand(): Command {
  const command = new Command('test').description('Measure a trained network on the validation pictures.');
  return addCheckpointOptions(command)
    .option('--data <folder>', 'dataset (default: the one of the training)')
    .option('--batch-size <number>', "pictures in a batch (default: the training's)", wholeNumber)
    .option('--workers <number>', 'threads that load pictures', wholeNumber)
    .option('--threads <number>', 'threads of the engine (default: physical cores)', wholeNumber)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run({ json, ...flags }: Flags): Promise<void> {
  const { evaluate } = await import('../train/evaluate.js');
  const line = new ProgressLine();
  const stopping = interruption(() => line.print('stopping ...'));
  try {
    const result = await evaluate({
      ...flags,
      signal: stopping.signal,
      onWarning: (message) => line.print(`warning: ${message}`),
      onProgress: ({ done, total }) => line.update(`${bar(done, total)} ${done}/${total} batches`),
    });
    line.clear();
    for (const { file, reason } of result.rejected) line.print(`rejected ${file}: ${reason}`);
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
  } catch (error) {
    const { exitCode } = stopping;
    throw exitCode === undefined ? error : new UserError('interrupted', { exitCode });
  } finally {
    line.clear();
    stopping.release();
  }
}

function summary({ top1, top5, loss, images, seconds, checkpoint, model, epoch }: EvaluateResult): string {
  const rate = Math.round(images / seconds);
  return [
    `${model} after ${epoch} epochs (${checkpoint})`,
    `top-1 ${top1.toFixed(2)} %, top-5 ${top5.toFixed(2)} %, loss ${loss.toFixed(4)} on ${images} pictures`,
    `Prediction Time: ${formatDuration(seconds)} (${rate} pictures/s)`,
    '',
  ].join('\n');
}
