import { Command } from 'commander';
import type { EngineSettings } from '../engines/settings.js';
import { exitCodes } from '../errors.js';
import type { PredictResult } from '../predict/predict.js';
import { bar } from '../report/progress-line.js';
import { addCheckpointOptions, type CheckpointFlags } from './checkpoint-options.js';
import { wholeNumber } from './numbers.js';
import { stoppable } from './stoppable.js';

interface Flags extends CheckpointFlags {
  top: number;
  batchSize?: number;
  threads?: number;
  engine?: EngineSettings['engine'];
  device?: string;
  json: boolean;
}

const examples = `
Takes any picture that sharp reads, and folders of them. Needs the checkpoint alone: it holds the classes and
how pictures have to be prepared.

Examples:
  $ resnode predict photo.jpg
  $ resnode predict holiday/ extra.png --project birds --best
  $ resnode predict photo.jpg --checkpoint birds.safetensors --json`;

/** `resnode predict PICTURE...`. */
export function predictCommand(): Command {
  const command = new Command('predict')
    .description('Say what pictures show.')
    .argument('<picture...>', 'picture files, and folders of them');
  return addCheckpointOptions(command)
    .option('--top <number>', 'classes to name for each picture', wholeNumber, 5)
    .option(
      '--batch-size <number>',
      'pictures that go through the network at once (default: 16)',
      wholeNumber,
    )
    .option('--threads <number>', 'threads of the engine (default: physical cores)', wholeNumber)
    .option('--engine <name>', 'auto, onednn or torch (default: auto, a GPU where there is one, else onednn)')
    .option('--device <name>', 'cpu, cuda, cuda:1, mps (default: a GPU where there is one)')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(pictures: string[], { json, ...flags }: Flags): Promise<void> {
  const { predict } = await import('../predict/predict.js');
  await stoppable(async (signal, line) => {
    const result = await predict({
      ...flags,
      pictures,
      signal,
      onWarning: (message) => line.print(`warning: ${message}`),
      onProgress: ({ done, total }) => line.update(`${bar(done, total)} ${done}/${total} pictures`),
    });
    line.clear();
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : summary(result));
    for (const { file, reason } of result.failed) line.print(`cannot use ${file}: ${reason}`);
    if (result.failed.length > 0) process.exitCode = exitCodes.failure;
  });
}

function summary({ predictions }: PredictResult): string {
  return predictions
    .map(({ file, classes }) => {
      const rows = classes.map(
        ({ label, probability }) => `  ${(100 * probability).toFixed(2).padStart(6)} %  ${label}\n`,
      );
      return `${file}\n${rows.join('')}`;
    })
    .join('');
}
