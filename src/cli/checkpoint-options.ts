import type { Command } from 'commander';

/** Flags that say which checkpoint. */
export interface CheckpointFlags {
  project?: string;
  runDir: string;
  checkpoint?: string;
  best: boolean;
}

export function addCheckpointOptions(command: Command): Command {
  return command
    .option('--project <name>', 'run whose last checkpoint is taken (default: the one that saved last)')
    .option('--run-dir <folder>', 'folder of all runs', 'runs')
    .option('--checkpoint <file>', 'a checkpoint file')
    .option('--best', 'the checkpoint with the best validation accuracy, not the last', false);
}
