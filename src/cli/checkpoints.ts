import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { exitCodes } from '../errors.js';
import type { CheckpointList, ListedCheckpoint } from '../train/list-checkpoints.js';

interface Flags {
  runDir: string;
  json: boolean;
}

const examples = `
Reads every file and checks it against its checksum. The exit code is 1 when one is damaged.

Examples:
  $ resnode checkpoints birds
  $ resnode checkpoints /mnt/archive/birds --json`;

/** `resnode checkpoints RUN`. */
export function checkpointsCommand(): Command {
  return new Command('checkpoints')
    .description('List the checkpoints of a run, and check that they are whole.')
    .argument('[run]', 'name of a run, or its folder (default: the run that saved last)')
    .option('--run-dir <folder>', 'folder of all runs', 'runs')
    .option('--json', 'print the list as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(name: string | undefined, { runDir, json }: Flags): Promise<void> {
  const { listCheckpoints } = await import('../train/list-checkpoints.js');
  const { requireLatestRun } = await import('../train/pick-checkpoint.js');
  const place = placeOf(name ?? (await requireLatestRun(runDir)), runDir);
  const list = await listCheckpoints(place);
  process.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : table(list));
  if (list.checkpoints.some(({ state }) => state === 'damaged')) process.exitCode = exitCodes.failure;
}

/** A name below the folder of all runs, or else a folder. */
function placeOf(name: string, runDir: string): { runDir: string; project: string } {
  const isFolder = /[/\\]/.test(name) || (!isDirectory(resolve(runDir, name)) && isDirectory(resolve(name)));
  if (!isFolder) return { runDir, project: name };
  const path = resolve(name);
  return { runDir: dirname(path), project: basename(path) };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function table({ run, checkpoints }: CheckpointList): string {
  const head = ['epoch', 'step', 'accuracy', 'size', 'sha256', 'mark', 'state', 'file'];
  const rows = [head, ...checkpoints.map(cells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column < 4 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const problems = checkpoints.flatMap(({ path, problem }) =>
    problem ? [`${basename(path)}: ${problem}`] : [],
  );
  return `${[run, ...lines, ...problems].join('\n')}\n`;
}

function cells(checkpoint: ListedCheckpoint): string[] {
  const { path, epoch, step, accuracy, bytes, sha256, last, best, state } = checkpoint;
  return [
    String(epoch),
    step > 0 ? String(step) : '',
    accuracy === null ? '\u2013' : `${accuracy.toFixed(2)} %`,
    size(bytes),
    sha256?.slice(0, 12) ?? '',
    [...(last ? ['last'] : []), ...(best ? ['best'] : [])].join(', '),
    state,
    basename(path),
  ];
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
