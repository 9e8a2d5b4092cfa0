import type { Command } from 'commander';

/** Every command of the tool, in the order that `--help` shows them. One file and one line each. */
export const commands: ReadonlyArray<() => Promise<Command>> = [
  async () => (await import('./init.js')).initCommand(),
  async () => (await import('./preprocess.js')).preprocessCommand(),
  async () => (await import('./audit.js')).auditCommand(),
  async () => (await import('./train.js')).trainCommand(),
  async () => (await import('./test.js')).testCommand(),
  async () => (await import('./predict.js')).predictCommand(),
  async () => (await import('./plot.js')).plotCommand(),
  async () => (await import('./compare.js')).compareCommand(),
  async () => (await import('./checkpoints.js')).checkpointsCommand(),
  async () => (await import('./augment.js')).augmentCommand(),
  async () => (await import('./summary.js')).summaryCommand(),
  async () => (await import('./recipes.js')).recipesCommand(),
  async () => (await import('./config.js')).configCommand(),
  async () => (await import('./setup.js')).setupCommand(),
  async () => (await import('./doctor.js')).doctorCommand(),
];

/**
 * Commands that all ranks of an MPI job run, since they share the work or each machine wants it; any other is the first
 * rank's alone.
 */
export const commandsOfAllRanks: ReadonlySet<string> = new Set(['train', 'test', 'setup', 'doctor']);
