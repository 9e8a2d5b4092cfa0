import { Command } from 'commander';
import { exitCodes, UserError } from '../errors.js';
import { bar } from '../report/progress-line.js';
import { wholeNumber } from './numbers.js';
import { stoppable } from './stoppable.js';

interface Flags {
  labelPattern?: string;
  minPictures: number;
  workers: number;
  html?: string;
  json: boolean;
}

const examples = `
FOLDER is a dataset that \`resnode preprocess\` made, or a folder of pictures with a folder per class. Found are
broken files, the same picture twice (byte for byte or nearly), in train and in val, or in two classes, classes
with too few pictures, and odd sizes. Exit code 3 when a picture is in train and in val, 0 otherwise.

Examples:
  $ resnode audit photos
  $ resnode audit data --html audit.html
  $ resnode audit data --json > audit.json`;

/** Exit code for a dataset in which train and val share pictures. */
const leaksFound = 3;

/** `resnode audit FOLDER`. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('Look for what spoils a training: broken files, duplicates, leaks, label clashes.')
    .argument('<folder>', 'dataset, or folder with a folder of pictures per class')
    .option('--label-pattern <regex>', "class label from the folder's path, as for preprocess")
    .option('--min-pictures <number>', 'report classes with fewer pictures', wholeNumber, 20)
    .option('--workers <number>', 'pictures at work at once', wholeNumber, 4)
    .option('--html <file>', 'write a page with the pictures')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(folder: string, flags: Flags): Promise<void> {
  const [{ audit }, { auditJson, auditSummary }] = await Promise.all([
    import('../data/audit/audit.js'),
    import('../data/audit/summary.js'),
  ]);
  await stoppable(async (signal, line) => {
    const { minPictures, workers } = flags;
    const result = await audit({
      folder,
      minPictures,
      workers: Math.max(1, workers),
      labelPattern: pattern(flags.labelPattern),
      signal,
      onProgress: ({ done, total }) => line.update(`${bar(done, total)} ${done}/${total} pictures`),
    });
    line.clear();
    if (flags.html !== undefined) await writePage(flags.html, result);
    process.stdout.write(
      flags.json ? `${JSON.stringify(auditJson(result), null, 2)}\n` : auditSummary(result),
    );
    if (flags.html !== undefined) line.print(`page: ${flags.html}`);
    if (result.leaks.length > 0) process.exitCode = leaksFound;
  });
}

async function writePage(file: string, result: import('../data/audit/audit.js').Audit): Promise<void> {
  const { auditPage } = await import('../data/audit/page.js');
  const { writeFileAtomic } = await import('../data/atomic-write.js');
  const page = await auditPage(result);
  try {
    await writeFileAtomic(file, page);
  } catch (error) {
    throw new UserError(`cannot write ${file}: ${(error as Error).message}`, {
      hint: 'Make room or permission there, or name another file.',
      cause: error,
    });
  }
}

function pattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UserError(`the label pattern is no regular expression: ${(error as Error).message}`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}
